/** One update, until all about it is stored: what is tried again, what ends it, and that nobody is left without a word. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Bot, BotError } from 'grammy';
import type { Update } from 'grammy/types';
import { AppError, toAppError } from '../errors.ts';
import { redactTokens } from '../secret.ts';
import { type Desk, heed } from './desk.ts';
import { ChatBusy } from './pacing.ts';
import { attempt, understandRefusal } from './telegram-errors.ts';
import { languageFor } from './texts.ts';

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
/** An update that fails so often, and not because somebody is away, is a mistake of ours and must not stop the others. */
const MAX_OWN_FAULTS = 4;
/** The same for faults inside the API, which may be a passing one: five minutes. */
const MAX_API_FAULTS = 14;

/** True when all about the update is stored, or nothing more can be; false when the bot stops before. */
export async function handleUpdate(bot: Bot, update: Update, desk: Desk): Promise<boolean> {
  const { log, stopping } = desk;
  let backoffMs = FIRST_BACKOFF_MS;
  let [faults, apiFaults] = [0, 0];
  while (!stopping.aborted) {
    try {
      await bot.handleUpdate(update);
      return true;
    } catch (thrown) {
      // Never the update or the context: they hold what users wrote, and the context the token.
      const cause = (thrown as BotError).error ?? thrown;
      const about = { update: update.update_id, reason: wordsOf(cause) };
      const verdict = await judge(desk, update, cause);
      if (verdict === 'nobody') {
        log.info(about, 'nobody can be answered there');
        return true;
      }
      const isOver =
        verdict === 'refused' ||
        (verdict === 'fault' && ++faults >= MAX_OWN_FAULTS) ||
        (verdict === 'api fault' && ++apiFaults >= MAX_API_FAULTS);
      if (isOver) {
        log.error(about, 'an update could not be handled and is given up');
        await apologise(desk, update);
        return true;
      }
      log.warn({ ...about, backoffMs }, 'an update could not be handled yet');
      await pause(waitFor(cause, backoffMs), undefined, { signal: stopping }).catch(() => undefined);
      backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * backoffMs);
    }
  }
  return false;
}

/**
 * `away`: it will work some time. `nobody`: no answer reaches them, and all else is done. `refused`: the API will not take
 * it, however often. The faults may pass or not.
 */
export async function judge(
  desk: Desk,
  update: Update,
  cause: unknown,
): Promise<'away' | 'nobody' | 'refused' | 'fault' | 'api fault'> {
  if (cause instanceof ChatBusy) return 'nobody';
  if (cause instanceof AppError) {
    if (cause.code === 'INTERNAL') return 'api fault';
    // A key may be put right: photos must not be lost until it is.
    return cause.retryable || cause.status >= 500 || cause.code === 'UNAUTHORIZED' ? 'away' : 'refused';
  }
  const refusal = understandRefusal(cause);
  switch (refusal.kind) {
    case 'later':
      await heed(desk, placeOf(update)?.chatId ?? 0, refusal);
      return 'away';
    case 'token':
      return 'away';
    case 'gone':
    case 'moved':
      await heed(desk, placeOf(update)?.chatId ?? 0, refusal);
      return 'nobody';
    case 'no topic':
    case 'no rights':
    case 'needless':
      return 'nobody';
    default:
      return 'fault';
  }
}

function waitFor(cause: unknown, backoffMs: number): number {
  const refusal = understandRefusal(cause);
  return refusal.kind === 'later' ? Math.max(backoffMs, 1000 * refusal.afterSeconds) : backoffMs;
}

interface Place {
  readonly chatId: number;
  readonly messageId: number | undefined;
  readonly languageCode: string | undefined;
}

function placeOf({ message, callback_query: query }: Update): Place | undefined {
  const chat = message?.chat ?? query?.message?.chat;
  if (chat === undefined) return undefined;
  const from = message?.from ?? query?.from;
  return { chatId: chat.id, messageId: message?.message_id, languageCode: from?.language_code };
}

/** Whoever waits for an answer is told that none will come, and what to do. */
async function apologise({ api, say }: Desk, update: Update): Promise<void> {
  const place = placeOf(update);
  if (place === undefined) return;
  const { chatId, messageId, languageCode } = place;
  const text = say[languageFor(languageCode, null)]('error-other');
  const { callback_query: query } = update;
  if (query !== undefined) {
    await attempt(api.answerCallbackQuery(query.id, { text: text.slice(0, 200) }));
    return;
  }
  const reply =
    messageId === undefined ? undefined : { message_id: messageId, allow_sending_without_reply: true };
  await attempt(api.sendMessage(chatId, text, reply === undefined ? {} : { reply_parameters: reply }));
}

/** What went wrong, without a token in it. */
export function wordsOf(thrown: unknown): string {
  return redactTokens(toAppError(thrown).message);
}
