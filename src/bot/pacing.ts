/** Keeps to Telegram's documented rates: 30 messages a second over all, one a second in a chat, 20 a minute in a group. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Transformer } from 'grammy';

/** So many messages within so long. */
interface Limit {
  readonly most: number;
  readonly windowMs: number;
}

// A little below what is documented: clocks differ, and messages travel.
const OVER_ALL: Limit = { most: 28, windowMs: 1020 };
const IN_GROUP: Limit = { most: 19, windowMs: 61_000 };
// Short bursts are allowed: an album and what is said of it.
const IN_PRIVATE: Limit = { most: 14, windowMs: 14_000 };

/** How soon whoever waits behind looks again whether somebody is in front. */
const BEHIND_MS = 40;
const MAX_CHATS = 10_000;

interface Sent {
  /** When Telegram answered; undefined: it has not yet. */
  landedAt: number | undefined;
}

/** Telegram has answered. `isRefused`: it took nothing, and the places are free again. */
type Landed = (isRefused?: boolean) => void;

/** The chat cannot be written to soon. */
export class ChatBusy extends Error {
  readonly afterSeconds: number;

  /** @param ms milliseconds until it might be */
  constructor(ms: number) {
    super('the chat has as many messages as it may have for now');
    this.afterSeconds = Math.ceil(ms / 1000);
  }
}

export interface Pacing {
  /**
   * Waits until so many messages may be sent to the chat, and counts them: from now on, and until the window is over
   * after the returned function was called, which is when Telegram has answered. When between the two a message reached
   * Telegram nobody here knows. Where it would take longer than `withinMs` nothing is counted, and the answer is in how
   * many milliseconds it might be.
   */
  soon(chatId: number, messages: number, withinMs: number): Promise<Landed | number>;
  /** The same behind everybody else who waits, however long: for what need not be there at once. */
  waitBehind(chatId: number, messages: number, signal?: AbortSignal): Promise<Landed>;
  /** The same where it may be done at once; else undefined, and nothing is counted. */
  now(chatId: number, messages: number): Landed | undefined;
  /** In how many milliseconds they might be sent, as it looks now. */
  missing(chatId: number, messages: number): number;
  /** Telegram asked to leave the chat alone for a while. */
  rest(chatId: number, seconds: number): void;
}

/** @param clock milliseconds that only go forward */
export function createPacing(clock: () => number = () => performance.now()): Pacing {
  let overAll: Sent[] = [];
  const chats = new Map<number, Sent[]>();
  const resting = new Map<number, number>();
  /** How many wait for their turn, in front of those behind. */
  let waiting = 0;

  /** Milliseconds until `messages` more fit; a burst larger than the limit itself waits for an empty window. */
  function missing(sent: readonly Sent[], { most, windowMs }: Limit, messages: number): number {
    const tooMany = sent.length + Math.min(messages, most) - most;
    if (tooMany <= 0) return 0;
    const times = sent.map(({ landedAt }) => landedAt ?? clock()).sort((a, b) => a - b);
    return (times[tooMany - 1] as number) + windowMs - clock();
  }

  function recent(sent: Sent[], { windowMs }: Limit): Sent[] {
    const since = clock() - windowMs;
    return sent.filter(({ landedAt }) => landedAt === undefined || landedAt > since);
  }

  function missingFor(chatId: number, messages: number): number {
    // Ids of groups are negative.
    const limit = chatId < 0 ? IN_GROUP : IN_PRIVATE;
    const inChat = recent(chats.get(chatId) ?? [], limit);
    if (inChat.length > 0) chats.set(chatId, inChat);
    else chats.delete(chatId);
    overAll = recent(overAll, OVER_ALL);
    return Math.max(
      (resting.get(chatId) ?? 0) - clock(),
      missing(inChat, limit, messages),
      missing(overAll, OVER_ALL, messages),
    );
  }

  function count(chatId: number, messages: number): Landed {
    const batch = Array.from({ length: messages }, (): Sent => ({ landedAt: undefined }));
    overAll = [...overAll, ...batch];
    chats.set(chatId, [...(chats.get(chatId) ?? []), ...batch]);
    // Chats that were silent for long are forgotten.
    if (chats.size > MAX_CHATS) for (const id of chats.keys()) missingFor(id, 0);
    return (isRefused = false) => {
      if (!isRefused) {
        for (const one of batch) one.landedAt = clock();
        return;
      }
      const others = (one: Sent): boolean => !batch.includes(one);
      overAll = overAll.filter(others);
      chats.set(chatId, (chats.get(chatId) ?? []).filter(others));
    };
  }

  return {
    async soon(chatId, messages, withinMs) {
      const until = clock() + withinMs;
      waiting++;
      try {
        for (let ms = missingFor(chatId, messages); ms > 0; ms = missingFor(chatId, messages)) {
          if (clock() + ms > until) return ms;
          await pause(Math.ceil(ms));
        }
        return count(chatId, messages);
      } finally {
        waiting--;
      }
    },
    async waitBehind(chatId, messages, signal) {
      for (;;) {
        const ms = waiting > 0 ? BEHIND_MS : missingFor(chatId, messages);
        if (ms <= 0) return count(chatId, messages);
        await pause(Math.ceil(ms), undefined, signal === undefined ? {} : { signal });
      }
    },
    now: (chatId, messages) => (missingFor(chatId, messages) > 0 ? undefined : count(chatId, messages)),
    missing: (chatId, messages) => Math.max(0, missingFor(chatId, messages)),
    rest(chatId, seconds) {
      resting.set(chatId, clock() + 1000 * seconds);
    },
  };
}

/** How long an answer to a command waits for its chat's turn; a group that is flooded gets it no more. */
const ANSWER_WITHIN_MS = 15_000;

/** For grammY: each message keeps to the pace. @returns what throws ChatBusy where the turn is too far */
export function keepPace(pacing: Pacing): Transformer {
  return async (previous, method, payload, signal) => {
    const { chat_id: chatId } = payload as { chat_id?: unknown };
    const isMessage = /^(send(?!ChatAction)|edit)/.test(method);
    if (!isMessage || typeof chatId !== 'number') return previous(method, payload, signal);
    const { media } = payload as { media?: unknown };
    const messages = Array.isArray(media) ? media.length : 1;
    const landed = await pacing.soon(chatId, messages, ANSWER_WITHIN_MS);
    if (typeof landed === 'number') throw new ChatBusy(landed);
    return previous(method, payload, signal).finally(landed);
  };
}
