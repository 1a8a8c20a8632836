/** Keeps to Telegram's documented rates: 30 messages a second over all, one a second in a chat, 20 a minute in a group. */
import { setTimeout as pause } from 'node:timers/promises';

/** So many messages within so long. */
interface Limit {
  readonly most: number;
  readonly windowMs: number;
}

// A little below what is documented: clocks differ, and messages travel.
const OVER_ALL: Limit = { most: 26, windowMs: 1050 };
const IN_GROUP: Limit = { most: 19, windowMs: 61_000 };
// Short bursts are allowed: an album and what is said of it.
const IN_PRIVATE: Limit = { most: 14, windowMs: 14_000 };

export interface Pacing {
  /** Waits until so many messages may be sent to the chat, and counts them as sent. */
  wait(chatId: number, messages: number, signal?: AbortSignal): Promise<void>;
  /** The same where it may be done at once; else false, and nothing is counted. */
  now(chatId: number, messages: number): boolean;
  /** Telegram asked to leave the chat alone for a while. */
  rest(chatId: number, seconds: number): void;
}

/** @param clock milliseconds that only go forward */
export function createPacing(clock: () => number = () => performance.now()): Pacing {
  const overAll: number[] = [];
  const chats = new Map<number, number[]>();
  const resting = new Map<number, number>();

  /** Milliseconds until `messages` more fit; a burst larger than the limit itself waits for an empty window. */
  function missing(times: number[], { most, windowMs }: Limit, messages: number): number {
    const now = clock();
    while (times.length > 0 && (times[0] as number) <= now - windowMs) times.shift();
    const tooMany = times.length + Math.min(messages, most) - most;
    return tooMany <= 0 ? 0 : (times[tooMany - 1] as number) + windowMs - now;
  }

  function missingFor(chatId: number, messages: number): number {
    const times = chats.get(chatId) ?? [];
    chats.set(chatId, times);
    return Math.max(
      (resting.get(chatId) ?? 0) - clock(),
      // Ids of groups are negative.
      missing(times, chatId < 0 ? IN_GROUP : IN_PRIVATE, messages),
      missing(overAll, OVER_ALL, messages),
    );
  }

  function count(chatId: number, messages: number): void {
    const now = clock();
    for (let message = 0; message < messages; message++) {
      overAll.push(now);
      chats.get(chatId)?.push(now);
    }
    // Chats that were silent for long are forgotten.
    if (chats.size > 10_000) for (const [id, times] of chats) if (times.length === 0) chats.delete(id);
  }

  return {
    async wait(chatId, messages, signal) {
      for (let ms = missingFor(chatId, messages); ms > 0; ms = missingFor(chatId, messages)) {
        await pause(Math.ceil(ms), undefined, signal === undefined ? {} : { signal });
      }
      count(chatId, messages);
    },
    now(chatId, messages) {
      if (missingFor(chatId, messages) > 0) return false;
      count(chatId, messages);
      return true;
    },
    rest(chatId, seconds) {
      resting.set(chatId, clock() + 1000 * seconds);
    },
  };
}
