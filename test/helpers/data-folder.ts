/** Data folders with an empty database in them: PGlite takes seconds to make one, so it is made once and copied. */
import { randomUUID } from 'node:crypto';
import { constants, cpSync, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEmbedded } from '../../src/storage/embedded-database.ts';

const MODULES = fileURLToPath(new URL('../../node_modules/', import.meta.url));

/** Puts a database without tables where `openDatabase` looks for it in `dataDir`, unless there is one. */
export async function prepareDatabase(dataDir: string): Promise<void> {
  const folder = join(dataDir, 'database');
  if (existsSync(folder)) return;
  const prepared = await findPrepared();
  cpSync(prepared, folder, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/** What this version of PGlite makes, kept between runs. */
async function findPrepared(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(MODULES, '@electric-sql/pglite/package.json'), 'utf8'));
  const folder = join(MODULES, '.cache/boardsharp', `pglite-${version}`);
  if (existsSync(folder)) return folder;
  const making = `${folder}.${randomUUID()}`;
  await mkdir(dirname(folder), { recursive: true });
  const db = await openEmbedded(making);
  await db.close();
  await rm(`${making}.lock`);
  // Of several tests that make it at once the first one's stays; all are the same.
  await rename(making, folder).catch(() => rm(making, { recursive: true }));
  return folder;
}
