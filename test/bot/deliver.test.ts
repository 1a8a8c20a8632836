/** Results on their way out: what holds them up, what is tried again, and what Telegram's refusals make of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from 'grammy';
import { pauseFor } from '../../src/bot/desk.ts';
import { createUserClient } from '../../src/client/telegram-client.ts';
import { AppError } from '../../src/errors.ts';
import { photo } from '../helpers/api.ts';
import { startFakeTelegram } from '../telegram/fake-telegram.ts';
import { eventually, meet, results, said } from '../telegram/meeting.ts';

test('an attempt counts where the sending failed, not where Telegram or the API is away', async (t) => {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  telegram.person(1);
  const api = new Api(telegram.token, { apiRoot: telegram.url });
  const failed = async (): Promise<unknown> =>
    api.sendMessage(1, 'x').then(
      () => assert.fail('it did not fail'),
      (error: unknown) => error,
    );
  for (const kind of ['cut', 'html', 500] as const) {
    telegram.fail({ method: 'sendMessage', kind });
    assert.equal(await pauseFor({ api }, await failed()), undefined, `${kind} for this one alone`);
    telegram.fail({ method: 'sendMessage', kind });
    telegram.fail({ method: 'getMe', kind });
    assert.ok(await pauseFor({ api }, await failed()), `${kind} for everything`);
  }
  telegram.fail({ method: 'sendMessage', kind: 429, retryAfter: 7 });
  assert.equal(await pauseFor({ api }, await failed()), 7);
  telegram.forgetPauses();
  telegram.fail({ method: 'sendMessage', kind: 401 });
  assert.ok(await pauseFor({ api }, await failed()), 'the next bot may know the token');
  telegram.fail({ method: 'sendMessage', kind: 400, description: 'Bad Request: whatever' });
  assert.equal(await pauseFor({ api }, await failed()), undefined);
  assert.ok(await pauseFor({ api }, new AppError('STORAGE', 'away')));
  assert.equal(await pauseFor({ api }, new AppError('INTERNAL', 'broken')), undefined);
});

test('a group that has had its twenty messages a minute holds up nobody else', async (t) => {
  const { telegram } = await meet(t);
  const group = telegram.group('Analysis');
  const [anna, boris] = [telegram.person(1), telegram.person(2)];
  const notes = new TextEncoder().encode('no picture');
  for (let at = 0; at < 30; at++) {
    await anna.sendFile(notes, { chat: group, name: `${at}.jpg`, caption: '/enhance' });
  }
  await eventually(() => telegram.messages(group, true).length >= 19, 'the group is not served', 60_000);
  await boris.sendFile(notes, { name: 'x.jpg' });
  await eventually(() => telegram.messages(boris.chat, true).length === 1, 'he waits for the group');
  assert.ok(telegram.messages(group, true).length < 30, 'the group waits, nobody else does');
});

test('where a group takes no files it gets a photo, where it takes none a sentence, each once', async (t) => {
  const { telegram } = await meet(t);
  const group = telegram.group('Analysis');
  const anna = telegram.person(1);
  const asked = { chat: group, caption: '/enhance' };
  group.forbidden.add('document');
  await anna.sendPhoto(await photo(64, 48), asked);
  assert.ok((await eventually(() => results(telegram, group)[0], 'no photo', 60_000)).photo);
  group.forbidden.add('photo');
  await anna.sendPhoto(await photo(60, 48), asked);
  await eventually(() => said(telegram, group, /does not let me send files or photos/));
  group.forbidden.add('text');
  await anna.sendPhoto(await photo(56, 48), asked);
  await eventually(() =>
    telegram.calls.some(
      ({ method, error }) => method === 'sendMessage' && /not enough rights/.test(error ?? ''),
    ),
  );
  assert.equal(telegram.messages(group, true).filter(({ text }) => !text?.startsWith('Working')).length, 2);
});

test('whatever Telegram says against a photo, it comes as a file', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  anna.sendText('/settings');
  anna.press(await eventually(() => said(telegram, anna.chat, /Settings/)), 'sendAs=photo');
  await eventually(() => said(telegram, anna.chat, /as a photo/));
  telegram.fail({ method: 'sendPhoto', kind: 413, description: 'Request Entity Too Large' });
  await anna.sendPhoto(await photo(64, 48));
  assert.ok((await eventually(() => results(telegram, anna.chat)[0], 'nothing', 60_000)).document);
});

test('an album of ten comes as files where Telegram takes no photos', async (t) => {
  const { telegram, url } = await meet(t);
  const anna = telegram.person(1);
  await createUserClient({ url, user: 'telegram:1' }).patchMe({ sendAs: 'photo' });
  anna.chat.forbidden.add('photo');
  const photos = await Promise.all(Array.from({ length: 10 }, (_, index) => photo(40 + index, 30)));
  await anna.sendAlbum(photos);
  // With the places of the refused album taken there would never be enough for the files.
  await eventually(() => results(telegram, anna.chat).length === 10, 'not all came', 90_000);
  assert.ok(results(telegram, anna.chat).every(({ document }) => document));
});

test('a result replies to its photo, and comes all the same where that was deleted', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  const sent = await anna.sendPhoto(await photo(64, 48));
  await eventually(() => telegram.calls.some(({ method }) => method === 'getFile'));
  anna.chat.messages.delete(sent.message_id);
  const result = await eventually(() => results(telegram, anna.chat)[0], 'nothing', 60_000);
  assert.equal(result.reply_to_message, undefined);
});
