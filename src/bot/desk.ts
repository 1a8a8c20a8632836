/** What every part of the bot works with, and how it meets Telegram and the API. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Api } from 'grammy';
import type { UserFromGetMe } from 'grammy/types';
import { type Client, createClient, type Limits } from '../client/client.ts';
import {
  createRoomClient,
  createRoomSenderClient,
  type RoomClient,
  type RoomSenderClient,
} from '../client/room-client.ts';
import {
  createSenderClient,
  createUserClient,
  type Language,
  type SenderClient,
  type UserClient,
} from '../client/telegram-client.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../secret.ts';
import type { Pacing } from './pacing.ts';
import { attempt, type Refusal, understandRefusal } from './telegram-errors.ts';
import type { TelegramFetch } from './telegram-fetch.ts';
import type { Say } from './texts.ts';
import type { Turns } from './turns.ts';

/** Where the API is. */
export interface ApiAddress {
  readonly url: string;
  readonly key: Secret | undefined;
}

/** The API, acting for one user. */
export interface Person {
  readonly photos: Client;
  readonly user: UserClient;
  readonly rooms: RoomClient;
}

export interface Desk {
  readonly api: Api;
  readonly botInfo: UserFromGetMe;
  /** For files alone. */
  readonly fetch: TelegramFetch;
  readonly token: Secret;
  readonly apiRoot: string;
  readonly sender: SenderClient;
  readonly rooms: RoomSenderClient;
  readonly person: (telegramId: number) => Person;
  readonly limits: Limits;
  readonly say: Readonly<Record<Language, Say>>;
  readonly pacing: Pacing;
  /** Photos being fetched and stored: each is held in memory meanwhile. */
  readonly storing: Turns;
  readonly log: Log;
  /** Aborts when the bot is to stop. */
  readonly stopping: AbortSignal;
}

/** The API's clients: one for whoever sends, one for each user. */
export function meetApi({ url, key }: ApiAddress): Pick<Desk, 'sender' | 'rooms' | 'person'> {
  return {
    sender: createSenderClient({ url, key }),
    rooms: createRoomSenderClient({ url, key }),
    person: (telegramId) => {
      const options = { url, key, user: `telegram:${telegramId}` };
      return {
        photos: createClient(options),
        user: createUserClient(options),
        rooms: createRoomClient(options),
      };
    },
  };
}

/** Telegram's `getFile` gives no more, whatever the API would take. */
const TELEGRAM_MAX_BYTES = 20 * 2 ** 20;

/** The largest file that can be taken in, in bytes. */
export function maxBytesOf({ limits, apiRoot }: Pick<Desk, 'limits' | 'apiRoot'>): number {
  // A server of one's own gives files of any size.
  const isTelegrams = new URL(apiRoot).hostname === 'api.telegram.org';
  return isTelegrams ? Math.min(limits.maxInputBytes, TELEGRAM_MAX_BYTES) : limits.maxInputBytes;
}

/** The same in megabytes, as users are told. */
export function megabytesOf(desk: Pick<Desk, 'limits' | 'apiRoot'>): number {
  return Math.floor(maxBytesOf(desk) / 2 ** 20);
}

/** Acts on what Telegram said of a chat. Answers whether anything can still be sent there, and where. */
export async function heed(
  { sender, pacing, log }: Desk,
  chatId: number,
  refusal: Refusal,
): Promise<'again' | 'gone' | 'moved' | 'no'> {
  switch (refusal.kind) {
    case 'later':
      pacing.rest(chatId, refusal.afterSeconds);
      return 'again';
    case 'gone':
      log.info({ chatId }, 'a chat cannot be reached any more');
      await sender.markChatGone(chatId, 'no message reaches it');
      return 'gone';
    case 'moved':
      log.info({ chatId, to: refusal.to }, 'a group has become a supergroup');
      await sender.moveChat(chatId, refusal.to);
      return 'moved';
    default:
      return 'no';
  }
}

/** Shows in the chat that something is being done. Never rejects: it changes nothing. */
export function act(
  { api }: Desk,
  { chatId, threadId }: { readonly chatId: number; readonly threadId: number | null },
  action: 'upload_document' | 'upload_photo',
): Promise<boolean> {
  return attempt(
    api.sendChatAction(chatId, action, threadId === null ? {} : { message_thread_id: threadId }),
  );
}

/** While Telegram does not know the token, or the API cannot give the picture. */
const AWAY_SECONDS = 15;

/**
 * Seconds until a failure may be over that says nothing about what was sent: Telegram or the API is away, or asks for a
 * pause. Undefined: it is the sending that failed. Where there was no answer Telegram is asked for something small: what
 * fails alone, fails for a reason of its own.
 */
export async function pauseFor({ api }: Pick<Desk, 'api'>, error: unknown): Promise<number | undefined> {
  if (error instanceof AppError)
    return error.retryable && error.code !== 'INTERNAL' ? AWAY_SECONDS : undefined;
  const refusal = understandRefusal(error);
  if (refusal.kind === 'moved') return 0;
  if (refusal.kind === 'token') return AWAY_SECONDS;
  if (refusal.kind !== 'later') return undefined;
  return refusal.isOrdered || !(await attempt(api.getMe())) ? refusal.afterSeconds : undefined;
}

/** How long the API is told what Telegram has done, while it does not answer. */
const TELL_FOR_MS = 180_000;
const TELL_AGAIN_MS = 500;

/**
 * What Telegram has done is told to the API, however long that is away: nobody else knows of it, and it would be done
 * twice.
 */
export async function surely<T>(desk: Desk, tell: () => Promise<T>): Promise<T> {
  const until = performance.now() + TELL_FOR_MS;
  for (;;) {
    try {
      return await tell();
    } catch (error) {
      if (!(error instanceof AppError && error.retryable) || performance.now() > until) throw error;
      desk.log.warn({ reason: error.message }, 'the API does not hear what was sent, yet');
      await pause(TELL_AGAIN_MS);
    }
  }
}
