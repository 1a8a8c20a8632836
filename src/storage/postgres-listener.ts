/** One connection to PostgreSQL that stays: it listens and holds locks, and comes back after it was lost. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Listening } from './database.ts';

/** As much of a client of pg as this needs. */
interface Client {
  connect(): Promise<unknown>;
  query(text: string, values?: unknown[]): Promise<unknown>;
  end(): Promise<void>;
  on(
    event: 'notification',
    listener: (message: { channel: string; payload?: string | undefined }) => void,
  ): this;
  on(event: 'error' | 'end', listener: () => void): this;
}

export interface Listener {
  listen(channel: string, onMessage: (payload: string) => void, onGap?: () => void): Promise<Listening>;
  holdLock(space: number, id: number): Promise<void>;
  close(): Promise<void>;
}

interface Ear {
  readonly channel: string;
  readonly onMessage: (payload: string) => void;
  readonly onGap: (() => void) | undefined;
}

const RECONNECT_AFTER_MS = 500;
/** How often an idle connection is used, so that one that died silently is noticed. */
const CHECK_EVERY_MS = 10_000;

/** The connection is opened by the first call. */
export function createListener(createClient: () => Client): Listener {
  const ears = new Set<Ear>();
  const locks: (readonly [number, number])[] = [];
  const closed = new AbortController();
  let connecting: Promise<Client> | undefined;

  function connected(): Promise<Client> {
    connecting ??= connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  }

  async function connect(): Promise<Client> {
    const client = createClient();
    let lost = false;
    const check = setInterval(() => void client.query('select 1').catch(onLoss), CHECK_EVERY_MS).unref();
    function onLoss(): void {
      if (lost) return;
      lost = true;
      clearInterval(check);
      void client.end().catch(() => undefined);
      if (closed.signal.aborted) return;
      connecting = undefined;
      void comeBack();
    }
    client.on('error', onLoss);
    client.on('end', onLoss);
    client.on('notification', ({ channel, payload = '' }) => {
      for (const ear of ears) if (ear.channel === channel) ear.onMessage(payload);
    });
    try {
      await client.connect();
      for (const channel of new Set([...ears].map((ear) => ear.channel))) {
        await client.query(`listen ${quoted(channel)}`);
      }
      for (const lock of locks) await client.query('select pg_advisory_lock($1, $2)', [...lock]);
    } catch (error) {
      lost = true;
      clearInterval(check);
      void client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  /** Listens again, as often as it takes, and then tells everybody that messages may have been missed. */
  async function comeBack(): Promise<void> {
    while (!closed.signal.aborted) {
      try {
        await delay(RECONNECT_AFTER_MS, undefined, { signal: closed.signal });
        await connected();
        for (const ear of ears) ear.onGap?.();
        return;
      } catch {
        // Still away, or closed meanwhile.
      }
    }
  }

  return {
    async listen(channel, onMessage, onGap) {
      const client = await connected();
      await client.query(`listen ${quoted(channel)}`);
      const ear = { channel, onMessage, onGap };
      ears.add(ear);
      return {
        async close() {
          ears.delete(ear);
        },
      };
    },
    async holdLock(space, id) {
      const client = await connected();
      await client.query('select pg_advisory_lock($1, $2)', [space, id]);
      locks.push([space, id]);
    },
    async close() {
      closed.abort();
      const client = await connecting?.catch(() => undefined);
      await client?.end().catch(() => undefined);
    },
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
