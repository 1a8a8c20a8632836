/** PostgreSQL over the network: a pool for statements and one connection that listens. The only file that imports pg. */
import pg from 'pg';
import { AppError } from '../errors.ts';
import type { Database, Queryable } from './database.ts';
import { createListener } from './postgres-listener.ts';

/** The type whose values come as numbers rather than as text. */
const BIGINT = 20;
const POOL_SIZE = 10;
const CONNECT_TIMEOUT_MS = 10_000;
/** A server that vanished without a word is noticed by this; no statement of ours takes nearly as long. */
const STATEMENT_TIMEOUT_MS = 60_000;

/** Opens the database at `url`; the first statement connects. */
export function openPostgres(url: string): Database {
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === BIGINT ? Number : pg.types.getTypeParser(oid, format as 'text'),
  };
  const settings = {
    connectionString: url,
    types,
    application_name: 'boardsharp',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  const pool = new pg.Pool({ ...settings, max: POOL_SIZE, query_timeout: STATEMENT_TIMEOUT_MS });
  // The pool replaces an idle connection that broke; an error event nobody hears would end the process.
  pool.on('error', () => undefined);
  const listener = createListener(() => new pg.Client(settings));
  let closing: Promise<void> | undefined;

  return {
    ...statementsOn(pool),
    kind: 'postgres',
    async transaction(work) {
      const client = await reachable(() => pool.connect());
      let broken = false;
      // Between statements nobody waits on the client: what happens to it then shows at the next statement.
      client.on('error', ignore);
      try {
        await reachable(() => client.query('begin'));
        const result = await work(statementsOn(client));
        await reachable(() => client.query('commit'));
        return result;
      } catch (error) {
        await client.query('rollback').catch(() => {
          broken = true;
        });
        throw error;
      } finally {
        client.off('error', ignore);
        client.release(broken);
      }
    },
    listen: (channel, onMessage, onGap) => reachable(() => listener.listen(channel, onMessage, onGap)),
    holdLock: (space, id) => reachable(() => listener.holdLock(space, id)),
    close() {
      closing ??= Promise.all([listener.close(), pool.end()]).then(ignore);
      return closing;
    },
  };
}

function statementsOn(target: pg.Pool | pg.PoolClient): Queryable {
  return {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      return (await reachable(() => target.query(text, [...values]))).rows as Row[];
    },
    async script(text) {
      // Several statements answer with a list of results, one with its own.
      const results = (await reachable(() => target.query(text))) as pg.QueryResult | pg.QueryResult[];
      return [results].flat().flatMap(({ rows }) => rows);
    },
  };
}

/** Tells a server that is not there, or going, from a statement it refused. */
async function reachable<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    const { code, message, severity } = error as { code?: string; message: string; severity?: string };
    // Only answers of the server have a severity; classes 08, 28, 3D and 57P are about the connection itself.
    const refused = severity !== undefined && !/^(08|28|3D|57P|53)/.test(code ?? '');
    if (refused || error instanceof AppError) throw error;
    throw new AppError('DATABASE', message || (code ?? 'no answer'), { cause: error });
  }
}

function ignore(): void {}
