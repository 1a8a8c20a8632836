/** Brings the tables up to this version: numbered SQL files, applied once each, forward only. */
import { readdir, readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Database } from './database.ts';

/** Beside `src` and `dist` alike. */
const FOLDER = new URL('../../migrations/', import.meta.url);

/** Key of the lock under which one process at a time migrates. */
const MIGRATION_LOCK = 6_278_001;

/**
 * Applies every migration the database has not seen, all in one transaction: an update that fails leaves it as it was.
 * @throws AppError DATABASE_NEWER
 */
export async function migrate(db: Database, folder = FOLDER): Promise<void> {
  const files = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_-]+\.sql$/.test(name)).sort();
  const newest = numberOf(files.at(-1) ?? '0');
  await db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await tx.query(
      'create table if not exists schema_versions (version integer primary key, at timestamptz not null default now())',
    );
    const [row] = await tx.query<{ version: number }>(
      'select coalesce(max(version), 0)::int as version from schema_versions',
    );
    const version = row?.version ?? 0;
    if (version > newest) {
      throw new AppError('DATABASE_NEWER', `its version is ${version}, this program knows ${newest}`);
    }
    for (const file of files.filter((name) => numberOf(name) > version)) {
      await tx.script(await readFile(new URL(file, folder), 'utf8'));
      await tx.query('insert into schema_versions (version) values ($1)', [numberOf(file)]);
    }
  });
}

function numberOf(file: string): number {
  return Number.parseInt(file, 10);
}
