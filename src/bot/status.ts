/** Tells users how their photos stand: one message each, edited, with a button to cancel. */
import { setTimeout as pause } from 'node:timers/promises';
import { InlineKeyboard } from 'grammy';
import type { DueStatus } from '../client/telegram-client.ts';
import { toAppError } from '../errors.ts';
import { encodePress } from './callback-data.ts';
import { act, type Desk, heed, surely } from './desk.ts';
import { understandRefusal } from './telegram-errors.ts';
import type { Say } from './texts.ts';

const LOOK_EVERY_MS = 1000;
const AT_ONCE = 30;
/** Texts that were told last, so that nothing is edited into itself; forgetting them costs one refused edit each. */
const MAX_REMEMBERED = 5000;
const REMOVE_TRIES = 10;

/** Tells until `stopping`. */
export async function runStatuses(desk: Desk): Promise<void> {
  const { sender, log, stopping } = desk;
  const told = new Map<string, string>();
  while (!stopping.aborted) {
    try {
      const due = await sender.leaseStatuses(AT_ONCE, { signal: stopping });
      await Promise.all(due.map((status) => tell(desk, status, told)));
      if (told.size > MAX_REMEMBERED) told.clear();
    } catch (thrown) {
      if (stopping.aborted) return;
      log.warn({ err: toAppError(thrown) }, 'users could not be told how their photos stand');
    }
    await pause(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** One status, where there is something new to say. Never rejects for what Telegram says. */
export async function tell(desk: Desk, status: DueStatus, told: Map<string, string>): Promise<void> {
  const { api, sender, pacing } = desk;
  const { id, chatId, threadId, messageId, statusMessageId, language } = status;
  const say = desk.say[language];
  const text = wordsFor(say, status);
  // It is shown for five seconds, and asked for again with the next status.
  if (status.position === null) void act(desk, status, 'upload_document');
  if (told.get(id) === text) return;
  // Results come first: a status that would have to wait is left out.
  const landed = pacing.now(chatId, 1);
  if (landed === undefined) return;
  const reply_markup = new InlineKeyboard().text(say('cancel'), encodePress({ verb: 'cancel', subject: id }));
  try {
    if (statusMessageId !== null) {
      await api.editMessageText(chatId, statusMessageId, text, { reply_markup });
    } else {
      const { message_id: sent } = await api.sendMessage(chatId, text, {
        ...(threadId === null ? {} : { message_thread_id: threadId }),
        reply_parameters: { message_id: messageId, allow_sending_without_reply: true },
        disable_notification: true,
        reply_markup,
      });
      const isOpen = await surely(desk, () => sender.putStatus(id, sent));
      // The result was faster. Nothing else will remove it, and no other status waits for that.
      if (!isOpen) void remove(desk, chatId, sent);
    }
    told.set(id, text);
  } catch (error) {
    await heed(desk, chatId, understandRefusal(error));
  } finally {
    landed();
  }
}

/** Removes a message, trying again while that may help. Never rejects. */
async function remove({ api, stopping }: Desk, chatId: number, messageId: number): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES; tries++) {
    try {
      await api.deleteMessage(chatId, messageId);
      return;
    } catch (error) {
      const refusal = understandRefusal(error);
      if (refusal.kind !== 'later') return;
      await pause(1000 * refusal.afterSeconds, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}

/** The place in the queue, else how far it is; of an album, how many photos are ready. */
function wordsFor(say: Say, { total, ended, position, remainingSeconds, progress }: DueStatus): string {
  // In steps: a text that changes with every second would be edited for nothing.
  const seconds = remainingSeconds === null ? 0 : Math.max(5, 5 * Math.round(remainingSeconds / 5));
  if (total > 1 && ended > 0) return say('status-album', { ended, total });
  if (position !== null) return say('status-queued', { position, seconds });
  return say('status-working', { percent: Math.round(100 * progress), seconds });
}
