/** Opens the database the settings name, with its tables as this version needs them. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Database } from './database.ts';
import { openEmbedded } from './embedded-database.ts';
import { migrate } from './migrations.ts';
import { openPostgres } from './postgres-database.ts';

type Place = Pick<Config, 'dataDir' | 'databaseUrl'>;

/** @throws AppError DATABASE (not reachable), DATABASE_IN_USE, DATABASE_NEWER */
export async function openDatabase(place: Place): Promise<Database> {
  return prepared(place, migrate);
}

/** The same without changing anything in it: its tables may be those of another version, or missing. */
export async function openDatabaseAsIs(place: Place): Promise<Database> {
  return prepared(place, (db) => db.query('select 1'));
}

async function prepared(
  { dataDir, databaseUrl }: Place,
  prepare: (db: Database) => Promise<unknown>,
): Promise<Database> {
  const db =
    databaseUrl === undefined
      ? await openEmbedded(join(dataDir, 'database'))
      : openPostgres(databaseUrl.reveal());
  try {
    await prepare(db);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}
