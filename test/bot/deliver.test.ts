/** Results on their way out: what holds them up, what is tried again, and what Telegram's refusals make of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from 'grammy';
import { pauseFor } from '../../src/bot/desk.ts';
import { AppError } from '../../src/errors.ts';
import { startFakeTelegram } from '../telegram/fake-telegram.ts';
import { eventually, meet } from '../telegram/meeting.ts';

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
  await eventually(() => telegram.messages(group, true).length === 19, 'the group is not served', 60_000);
  await boris.sendFile(notes, { name: 'x.jpg' });
  await eventually(() => telegram.messages(boris.chat, true).length === 1, 'he waits for the group');
  assert.equal(telegram.messages(group, true).length, 19);
});
