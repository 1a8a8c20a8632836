/** Brings the tables up to this version: numbered SQL files, applied once each, forward only. */
import { readdir, readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Database, Queryable } from './database.ts';

/** Beside `src` and `dist` alike. */
const FOLDER = new URL('../../migrations/', import.meta.url);

/** Key of the lock under which one process at a time migrates. */
const MIGRATION_LOCK = 6_278_001;

/** The database's version, 0 where it has no tables yet, and the one this program knows. Changes nothing. */
export async function readVersions(
  db: Queryable,
  folder = FOLDER,
): Promise<{ version: number; newest: number }> {
  const newest = numberOf((await listMigrations(folder)).at(-1) ?? '0');
  const [there] = await db.query<{ yes: boolean }>(
    `select to_regclass('schema_versions') is not null as yes`,
  );
  return { version: there?.yes ? await readVersion(db) : 0, newest };
}

/**
 * Applies every migration the database has not seen, all in one transaction: an update that fails leaves it as it was.
 * @throws AppError DATABASE_NEWER
 */
export async function migrate(db: Database, folder = FOLDER): Promise<void> {
  const files = await listMigrations(folder);
  await db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await tx.query(
      'create table if not exists schema_versions (version integer primary key, at timestamptz not null default now())',
    );
    const version = await readVersion(tx);
    checkKnown(version, numberOf(files.at(-1) ?? '0'));
    for (const file of files.filter((name) => numberOf(name) > version)) {
      await tx.script(await readFile(new URL(file, folder), 'utf8'));
      await tx.query('insert into schema_versions (version) values ($1)', [numberOf(file)]);
    }
  });
}

/** @throws AppError DATABASE_NEWER */
export function checkKnown(version: number, newest: number): void {
  if (version <= newest) return;
  throw new AppError('DATABASE_NEWER', `its version is ${version}, this program knows ${newest}`);
}

async function listMigrations(folder: URL): Promise<string[]> {
  return (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_-]+\.sql$/.test(name)).sort();
}

async function readVersion(db: Queryable): Promise<number> {
  const [row] = await db.query<{ version: number }>(
    'select coalesce(max(version), 0)::int as version from schema_versions',
  );
  return row?.version ?? 0;
}

function numberOf(file: string): number {
  return Number.parseInt(file, 10);
}
