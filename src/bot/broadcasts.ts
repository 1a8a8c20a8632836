/** Broadcasts on their way out: behind everything else, a few at a time, at the same pace; stopped at any moment. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from 'grammy/types';
import type { Recipient } from '../client/telegram-client.ts';
import { toAppError } from '../errors.ts';
import { type Desk, heed, pauseFor, surely } from './desk.ts';
import { understandRefusal } from './telegram-errors.ts';
import { languageFor } from './texts.ts';

const LOOK_EVERY_MS = 3000;
/** As many still get it after somebody has pressed Stop. */
const AT_ONCE = 3;
const LEASE_SECONDS = 180;
const AGAIN_SECONDS = 30;

/** Sends until `stopping`. */
export async function runBroadcasts(desk: Desk): Promise<void> {
  const { sender, log, stopping } = desk;
  while (!stopping.aborted) {
    try {
      const recipients = await sender.leaseRecipients(AT_ONCE, LEASE_SECONDS, { signal: stopping });
      for (const recipient of recipients) {
        if (stopping.aborted) return;
        await sendBroadcast(desk, recipient);
      }
      if (recipients.length > 0) continue;
    } catch (thrown) {
      if (stopping.aborted) return;
      log.warn({ err: toAppError(thrown) }, 'a broadcast was interrupted');
    }
    await pause(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

async function sendBroadcast(desk: Desk, recipient: Recipient): Promise<void> {
  const { sender, api } = desk;
  const { broadcastId, telegramId, text, options, language } = recipient;
  const speaks = languageFor(undefined, language === 'en' || language === 'ru' ? language : null);
  const send = (): Promise<Message> => {
    if (options === null) return api.sendMessage(telegramId, text[speaks]);
    const choices = options.map((choice) => ({ text: choice[speaks] }));
    // Answers to anonymous polls would not be told to us; the file of answers names nobody.
    return api.sendPoll(telegramId, text[speaks], choices, { is_anonymous: false });
  };
  const landed = await desk.pacing.waitBehind(telegramId, 1, desk.stopping);
  let how: Parameters<typeof sender.ackRecipient>[1];
  try {
    const { poll } = await send();
    how = { telegramId, outcome: 'sent', ...(poll === undefined ? {} : { pollId: poll.id }) };
  } catch (error) {
    const refusal = understandRefusal(error);
    await heed(desk, telegramId, refusal);
    how =
      refusal.kind === 'later' || refusal.kind === 'token'
        ? { telegramId, outcome: 'retry', afterSeconds: (await pauseFor(desk, error)) ?? AGAIN_SECONDS }
        : { telegramId, outcome: 'gone' };
  } finally {
    landed();
  }
  await surely(desk, () => sender.ackRecipient(broadcastId, how));
}
