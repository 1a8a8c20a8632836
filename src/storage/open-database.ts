/** Opens the database the settings name, with its tables as this version needs them. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Database } from './database.ts';
import { openEmbedded } from './embedded-database.ts';
import { migrate } from './migrations.ts';
import { openPostgres } from './postgres-database.ts';

/** @throws AppError DATABASE (not reachable), DATABASE_IN_USE, DATABASE_NEWER */
export async function openDatabase({
  dataDir,
  databaseUrl,
}: Pick<Config, 'dataDir' | 'databaseUrl'>): Promise<Database> {
  const db =
    databaseUrl === undefined
      ? await openEmbedded(join(dataDir, 'database'))
      : openPostgres(databaseUrl.reveal());
  try {
    await migrate(db);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}
