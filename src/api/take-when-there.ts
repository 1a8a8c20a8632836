/** Requests that wait until there is work to lease. */
import type { FastifyReply } from 'fastify';

/** While somebody waits, work may become ready without any message of the database. */
const LOOK_AGAIN_MS = 1000;
const SHORTEST_MS = 20;

export interface Occasions {
  /** Calls back whenever there may be work. Returns what ends it. */
  readonly watchFor: (onChange: () => void) => () => void;
  /** Until work becomes ready by itself; undefined: it does not. */
  readonly secondsToNext: () => Promise<number | undefined>;
}

/**
 * Looks for work at once and whenever there may be some, until `take` finds any or the time is over. Nobody would do
 * what is leased by a request that is over: then nothing is taken.
 */
export async function takeWhenThere<T>(
  { reply, stopping, waitSeconds }: { reply: FastifyReply; stopping: AbortSignal; waitSeconds: number },
  occasions: Occasions,
  take: () => Promise<T[]>,
): Promise<T[]> {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  const signal = AbortSignal.any([stopping, gone.signal, AbortSignal.timeout(waitSeconds * 1000)]);
  for await (const _ of ticks(signal, occasions)) {
    if (gone.signal.aborted) break;
    const taken = await take();
    if (taken.length > 0) return taken;
  }
  return [];
}

/** At once, whenever there may be work, and when some may have become ready by itself; ends when the signal aborts. */
async function* ticks(signal: AbortSignal, { watchFor, secondsToNext }: Occasions): AsyncGenerator<void> {
  yield;
  let wake = (): void => {};
  let missed = false;
  const unwatch = watchFor(() => {
    missed = true;
    wake();
  });
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      const seconds = await secondsToNext();
      const ms =
        seconds === undefined
          ? LOOK_AGAIN_MS
          : Math.min(LOOK_AGAIN_MS, Math.max(SHORTEST_MS, seconds * 1000));
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const timer = setTimeout(resolve, ms);
      if (!missed && !signal.aborted) await promise;
      clearTimeout(timer);
      missed = false;
      if (!signal.aborted) yield;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    unwatch();
  }
}
