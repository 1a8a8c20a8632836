/** Fetches updates, and confirms each only when it was handled: whatever is killed, none is lost. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Update } from 'grammy/types';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { understandRefusal } from './telegram-errors.ts';

/** Longest wait for an update, in seconds; Telegram allows 50. */
const POLL_SECONDS = 25;
/**
 * While something is in hand. The server answers the same offset within half a second with one update only; that it
 * holds a request within three seconds is nothing to us: it does so where it has no updates.
 */
const ASK_AGAIN_MS = 1000;
/** As many as one answer brings: whoever is not among them is not even seen. */
const MAX_IN_HAND = 100;
const LONGEST_BACKOFF_MS = 30_000;
/** Of a deployment that replaces a bot by its successor the older one may be alive for a moment. */
const MAX_CONFLICTS = 5;
const STOP_WITHIN_MS = 10_000;

export interface PollingParts {
  /** @param offset the first update wanted: all before it are confirmed */
  readonly getUpdates: (
    request: { offset: number; limit: number; timeout: number },
    signal: AbortSignal,
  ) => Promise<Update[]>;
  /** True when everything about the update is stored; false when it must come again. Never rejects. */
  readonly handle: (update: Update) => Promise<boolean>;
  readonly log: Log;
  /** The first pause after a failure; each one after it is twice as long. */
  readonly backoffMs?: number;
}

export interface Polling {
  /** Rejects with TELEGRAM_TOKEN or TELEGRAM_CONFLICT when it cannot go on; resolves when it was stopped. */
  readonly ended: Promise<void>;
  /** Fetches no more, lets what is in hand end, confirms it. */
  stop(): Promise<void>;
}

/**
 * The offset is always that of the oldest update that is not handled: the updates behind it come again with each
 * answer and are known, new ones among them are handled at the same time. A slow photo holds up nobody.
 */
export function startPolling({ getUpdates, handle, log, backoffMs: firstMs = 1000 }: PollingParts): Polling {
  const stopping = new AbortController();
  const inHand = new Map<number, Promise<void>>();
  /** Handled; an answer that is on its way may still hold them. */
  const handled = new Set<number>();
  let next = 0;
  let wake = (): void => {};

  const offset = (): number => Math.min(next, ...inHand.keys());

  function take(update: Update): void {
    const { update_id: id } = update;
    if (inHand.has(id) || handled.has(id)) return;
    next = Math.max(next, id + 1);
    const work = handle(update).then((isStored) => {
      if (!isStored) return;
      inHand.delete(id);
      handled.add(id);
      wake();
    });
    inHand.set(id, work);
  }

  /** Until something in hand has ended, or so long. */
  async function change(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    stopping.signal.addEventListener('abort', wake);
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    stopping.signal.removeEventListener('abort', wake);
  }

  async function run(): Promise<void> {
    let [backoffMs, conflicts] = [firstMs, 0];
    let [lastOffset, askedAt] = [Number.NaN, 0];
    while (!stopping.signal.aborted) {
      const from = offset();
      const sinceMs = performance.now() - askedAt;
      if (inHand.size >= MAX_IN_HAND || (inHand.size > 0 && from === lastOffset && sinceMs < ASK_AGAIN_MS)) {
        await change(inHand.size >= MAX_IN_HAND ? ASK_AGAIN_MS : ASK_AGAIN_MS - sinceMs);
        continue;
      }
      [lastOffset, askedAt] = [from, performance.now()];
      try {
        const request = { offset: from, limit: 100, timeout: inHand.size > 0 ? 0 : POLL_SECONDS };
        for (const update of await getUpdates(request, stopping.signal)) take(update);
        // No answer comes any more that holds what is before.
        for (const known of handled) if (known < from) handled.delete(known);
        [backoffMs, conflicts] = [firstMs, 0];
      } catch (error) {
        if (stopping.signal.aborted) return;
        const refusal = understandRefusal(error);
        if (refusal.kind === 'token') throw new AppError('TELEGRAM_TOKEN', 'it answered 401');
        if (refusal.kind === 'conflict' && ++conflicts >= MAX_CONFLICTS) {
          throw new AppError('TELEGRAM_CONFLICT', `it answered 409 ${conflicts} times`);
        }
        const waitMs =
          refusal.kind === 'later' ? Math.max(backoffMs, refusal.afterSeconds * 1000) : backoffMs;
        log.warn({ reason: (error as Error).message, waitMs }, 'updates could not be fetched');
        await pause(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * backoffMs);
      }
    }
  }

  const ended = run();
  // Whoever is interested waits for it; nobody must.
  ended.catch(() => undefined);
  return {
    ended,
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await ended.catch(() => undefined);
      const late = AbortSignal.timeout(STOP_WITHIN_MS);
      await Promise.race([
        Promise.all(inHand.values()),
        new Promise((done) => late.addEventListener('abort', done)),
      ]);
      // What is still in hand stays unconfirmed, and comes again to whoever asks next.
      if (next > 0) await getUpdates({ offset: offset(), limit: 1, timeout: 0 }, late).catch(() => undefined);
    },
  };
}
