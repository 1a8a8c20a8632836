/** How users are told where their photos stand, and what is said of letters that are too small. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from 'grammy';
import type { Desk } from '../../src/bot/desk.ts';
import { createPacing } from '../../src/bot/pacing.ts';
import { tell } from '../../src/bot/status.ts';
import { openTexts } from '../../src/bot/texts.ts';
import type { DueStatus } from '../../src/client/telegram-client.ts';
import { encode } from '../../src/engine/image-codec.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { photo } from '../helpers/api.ts';
import { startFakeTelegram } from '../telegram/fake-telegram.ts';
import { eventually, meet, results, said } from '../telegram/meeting.ts';

test('who waits gets one message with their place, and can cancel; nothing of it stays', async (t) => {
  const { telegram } = await meet(t, {}, {}, { api: true, worker: false, bot: true });
  const [anna, boris] = [telegram.person(1), telegram.person(2, 'ru')];
  await anna.sendPhoto(await photo(64, 48));
  const status = await eventually(() => said(telegram, anna.chat, /In the queue, place 1/));
  await boris.sendAlbum([await photo(40, 30), await photo(41, 30)]);
  const second = await eventually(() => said(telegram, boris.chat, /В очереди, место [23]/));
  const query = anna.press(status, 'Cancel');
  assert.equal(await eventually(() => telegram.state.callbacks.get(query)?.text), '1 photo cancelled.');
  await eventually(() => said(telegram, anna.chat, /^Cancelled\.$/));
  await eventually(() => !anna.chat.messages.has(status.message_id), 'the status stays');
  boris.sendText('/cancel');
  await eventually(() => said(telegram, boris.chat, /Отменено 2 фото/));
  await eventually(() => !boris.chat.messages.has(second.message_id));
  assert.equal(telegram.messages(boris.chat, true).filter(({ text }) => text === 'Отменено.').length, 2);
  const late = anna.press(status, 'Cancel');
  assert.equal(await eventually(() => telegram.state.callbacks.get(late)?.text), 'Nothing was waiting.');
});

test('while a photo is worked on the chat shows it, and a text that has not changed is not edited', async (t) => {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  const { chat } = telegram.person(1);
  const api = new Api(telegram.token, { apiRoot: telegram.url });
  const { message_id: statusMessageId } = await api.sendMessage(1, 'x');
  const desk = { api, say: openTexts(), pacing: createPacing() } as unknown as Desk;
  const status = (progress: number): DueStatus => ({
    ...{
      id: '3c0e3f62-6f3c-4f43-8a37-6c2f0f6ab1a6',
      telegramId: 1,
      chatId: 1,
      threadId: null,
      isGroup: false,
    },
    ...{ language: 'en', statusMessageId, messageId: 9, total: 1, ended: 0, progress },
    ...{ position: null, remainingSeconds: 12 },
  });
  const told = new Map<string, string>();
  for (const progress of [0.25, 0.25, 0.25, 0.5]) await tell(desk, status(progress), told);
  assert.equal(chat.edits.get(statusMessageId), 2);
  assert.equal(chat.messages.get(statusMessageId)?.text, 'Working on it: 50 % · about 10 s');
  await eventually(() => chat.lastAction === 'upload_document');
  const actions = telegram.calls.filter(({ method }) => method === 'sendChatAction').length;
  assert.ok(actions >= 3, 'also where there is nothing new to say');
  assert.deepEqual(telegram.complaints(), []);
});

test('a status that comes after the result is removed, whatever Telegram says at first', async (t) => {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  const { chat } = telegram.person(1);
  const api = new Api(telegram.token, { apiRoot: telegram.url });
  telegram.fail({ method: 'deleteMessage', kind: 429, retryAfter: 0, times: 2 });
  const sender = { putStatus: async () => false };
  const stopping = new AbortController().signal;
  const desk = { api, sender, stopping, say: openTexts(), pacing: createPacing() } as unknown as Desk;
  const late: DueStatus = {
    ...{ id: '3c0e3f62-6f3c-4f43-8a37-6c2f0f6ab1a6', telegramId: 1, chatId: 1, threadId: null },
    ...{ isGroup: false, language: 'en', statusMessageId: null, messageId: 9, total: 1, ended: 0 },
    ...{ progress: 0, position: null, remainingSeconds: null },
  };
  await tell(desk, late, new Map());
  await eventually(() => telegram.calls.filter(({ method }) => method === 'deleteMessage').length === 3);
  assert.equal(chat.messages.size, 0);
});

test('letters that are too small to be saved are told in a sentence, in both languages', async (t) => {
  const { telegram } = await meet(t);
  const [anna, boris] = [telegram.person(1), telegram.person(2, 'ru')];
  const board = Uint8Array.from(await encode(drawTinyMarks(200, 80), 'png'));
  for (const person of [anna, boris]) await person.sendFile(board, { name: 'b.png', mime: 'image/png' });
  const caption = (person: typeof anna): Promise<string> =>
    eventually(() => results(telegram, person.chat)[0]?.caption, 'nothing came', 60_000);
  assert.match(await caption(anna), /Come closer or zoom in/);
  assert.match(await caption(boris), /Подойдите ближе или приблизьте/);
  await anna.sendPhoto(await photo(64, 48));
  const other = await eventually(() => results(telegram, anna.chat)[1], 'nothing came', 60_000);
  assert.doesNotMatch(other.caption ?? '', /Come closer/);
});

/** Lines of marks four pixels high: smaller than any letter that can be saved. */
function drawTinyMarks(width: number, height: number): Raster {
  const data = new Uint8Array(width * height * 3).fill(235);
  for (let row = 8; row < height - 8; row += 12) {
    for (let left = 6; left < width - 6; left += 6) {
      for (let at = 0; at < 12; at++) {
        const [x, y] = [at % 3, Math.floor(at / 3)];
        if (x !== 0 && y !== 3 && (left / 6) % 2 !== y % 2) continue;
        const pixel = 3 * ((row + y) * width + left + x);
        data.fill(40, pixel, pixel + 3);
      }
    }
  }
  return { width, height, data };
}
