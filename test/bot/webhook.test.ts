/** The bot by webhook: what Telegram may tell it, who else may not, and that nothing is lost while it is away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { photo } from '../helpers/api.ts';
import { freePort } from '../helpers/server-process.ts';
import { eventually, meet, results, said } from '../telegram/meeting.ts';

test('photos come by webhook, from Telegram alone, and wait while the bot is away', async (t) => {
  const port = await freePort();
  const listener = `http://127.0.0.1:${port}`;
  const settings = {
    TELEGRAM_WEBHOOK_URL: 'https://bot.example/hook',
    TELEGRAM_WEBHOOK_SECRET: 's'.repeat(40),
    BOT_PORT: String(port),
  };
  const { telegram, restart, stop } = await meet(t, settings, { behind: () => `${listener}/hook` });
  const anna = telegram.person(1);
  const first = await anna.sendPhoto(await photo(64, 48));
  const result = await eventually(() => results(telegram, anna.chat)[0]);
  assert.equal(result.reply_to_message?.message_id, first.message_id);
  await eventually(() => telegram.updates.pending() === 0, 'the update was not answered');
  assert.ok(!telegram.calls.some(({ method }) => method === 'deleteWebhook'));
  assert.equal((await fetch(`${listener}/health/ready`)).status, 200);

  const update = { update_id: 1, message: { ...first, text: '/help', photo: undefined } };
  const body = JSON.stringify(update);
  for (const secret of ['', 's'.repeat(39), 'x'.repeat(40)]) {
    const headers = { 'X-Telegram-Bot-Api-Secret-Token': secret };
    assert.equal((await fetch(`${listener}/hook`, { method: 'POST', headers, body })).status, 401);
  }
  assert.equal(said(telegram, anna.chat, /How to get/), undefined, 'a stranger is not heard');

  await stop();
  await anna.sendPhoto(await photo(60, 48));
  assert.equal(telegram.updates.pending(), 1);
  await restart();
  await eventually(() => results(telegram, anna.chat)[1], 'it was lost');
  await eventually(() => telegram.updates.pending() === 0);
  assert.equal(results(telegram, anna.chat).length, 2);

  // A token that is taken back is noticed without asking for updates: nothing is asked for ever, and nothing is lost.
  telegram.fail({ method: 'sendDocument', kind: 401, description: 'Unauthorized' });
  await anna.sendPhoto(await photo(56, 48));
  await eventually(
    () => telegram.calls.some(({ error }) => error === 'Unauthorized'),
    'nothing was sent',
    60_000,
  );
  while ((await fetch(`${listener}/health/ready`)).ok);
  anna.sendText('/help');
  assert.equal(telegram.updates.pending(), 1);
  await restart();
  await eventually(() => results(telegram, anna.chat)[2], 'it was lost', 60_000);
  await eventually(() => said(telegram, anna.chat, /How to get/));
});
