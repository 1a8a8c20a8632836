/** PGlite: PostgreSQL inside this process, one session, in a folder or in memory. The only file that imports it. */
import { setImmediate } from 'node:timers/promises';
import { PGlite, type Transaction } from '@electric-sql/pglite';
import { AppError } from '../errors.ts';
import type { Database, Queryable } from './database.ts';
import { lockFolder } from './folder-lock.ts';

/** The type whose values come as numbers rather than as BigInt or text. */
const BIGINT = 20;

/** Opens the database in `folder`, made if missing; without one an empty database in memory. @throws AppError DATABASE, DATABASE_IN_USE */
export async function openEmbedded(folder?: string): Promise<Database> {
  const unlock = folder === undefined ? undefined : await lockFolder(folder);
  let lite: PGlite;
  try {
    lite = await PGlite.create({
      ...(folder !== undefined && { dataDir: folder }),
      parsers: { [BIGINT]: Number },
    });
  } catch (error) {
    unlock?.();
    throw new AppError('DATABASE', `${folder} cannot be opened: ${(error as Error).message}`, {
      cause: error,
      action: 'Check DATA_DIR, its permissions and the free space',
    });
  }
  let closing: Promise<void> | undefined;
  return {
    ...statementsOn(lite),
    kind: 'embedded',
    async script(text) {
      try {
        return await statementsOn(lite).script(text);
      } catch (error) {
        // There is one session: a script that failed within a BEGIN of its own would spoil every later statement.
        await lite.query('rollback').catch(() => undefined);
        throw error;
      }
    },
    transaction: (work) => lite.transaction((tx) => work(statementsOn(tx))),
    async listen(channel, onMessage) {
      const unlisten = await lite.listen(channel, onMessage);
      return { close: async () => (lite.closed ? undefined : unlisten()) };
    },
    async holdLock(space, id) {
      await lite.query('select pg_advisory_lock($1, $2)', [space, id]);
    },
    close() {
      closing ??= lite.close().finally(() => unlock?.());
      return closing;
    },
  };
}

/**
 * Statements run in this thread and are over before anything else is looked at: without a turn of the event loop between
 * them, forty photos sent at once would hold up every other request until all of them are stored.
 */
const turn = (): Promise<void> => setImmediate();

function statementsOn(target: PGlite | Transaction): Queryable {
  return {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      await turn();
      return (await target.query<Row>(text, [...values])).rows;
    },
    async script(text) {
      await turn();
      return (await target.exec(text)).flatMap(({ rows }) => rows as Record<string, unknown>[]);
    },
  };
}
