/** Databases for tests: PGlite always, and PostgreSQL where TEST_DATABASE_URL names a server. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe } from 'node:test';
import type { Database } from '../../src/storage/database.ts';
import { openEmbedded } from '../../src/storage/embedded-database.ts';
import { migrate } from '../../src/storage/migrations.ts';
import { openPostgres } from '../../src/storage/postgres-database.ts';
import { prepareDatabase } from './data-folder.ts';

const SERVER = process.env.TEST_DATABASE_URL;

export const DATABASE_KINDS =
  SERVER === undefined ? (['embedded'] as const) : (['embedded', 'postgres'] as const);
export type DatabaseKind = 'embedded' | 'postgres';

/**
 * Runs one suite on each kind of database. `open` gives the suite's database, migrated; it is opened by the first test
 * that asks, emptied after each test and closed at the end.
 */
export function onEachDatabase(
  name: string,
  suite: (open: () => Promise<Database>, kind: DatabaseKind) => void,
): void {
  for (const kind of DATABASE_KINDS) {
    describe(`${name} (${kind})`, () => {
      let opened: Promise<Database> | undefined;
      let remove: (() => Promise<void>) | undefined;
      afterEach(async () => {
        if (opened !== undefined) await empty(await opened);
      });
      after(async () => {
        await (await opened)?.close();
        await remove?.();
      });
      suite(() => {
        opened ??= (async () => {
          const database = kind === 'embedded' ? await openInFolder() : await openOwn();
          remove = database.remove;
          await migrate(database.db);
          return database.db;
        })();
        return opened;
      }, kind);
    });
  }
}

/** The address of a new, empty database on the test server, and its end. */
export async function createPostgresDatabase(): Promise<{ url: string; remove: () => Promise<void> }> {
  if (SERVER === undefined) throw new Error('TEST_DATABASE_URL is not set');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const server = openPostgres(SERVER);
  await server.script(`create database ${name}`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async remove() {
      await server.script(`drop database ${name} with (force)`);
      await server.close();
    },
  };
}

async function openInFolder(): Promise<{ db: Database; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'boardsharp-test-'));
  await prepareDatabase(folder);
  const db = await openEmbedded(join(folder, 'database'));
  return { db, remove: () => rm(folder, { recursive: true }) };
}

async function openOwn(): Promise<{ db: Database; remove: () => Promise<void> }> {
  const { url, remove } = await createPostgresDatabase();
  return { db: openPostgres(url), remove };
}

async function empty(db: Database): Promise<void> {
  await db.script('delete from users; update queue_clock set turn = 0');
  const [queue] = await db.query<{ there: boolean }>(`select to_regclass('pgboss.job') is not null as there`);
  if (queue?.there) await db.script('delete from pgboss.job');
}
