/** The fake Telegram is as strict as the real one, or stricter. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Api, Bot, InputFile } from 'grammy';
import { photo } from '../helpers/api.ts';
import { type FakeTelegram, startFakeTelegram } from './fake-telegram.ts';

async function open(t: TestContext): Promise<{ telegram: FakeTelegram; api: Api }> {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  return { telegram, api: new Api(telegram.token, { apiRoot: telegram.url }) };
}

const refused = (description: RegExp, code = 400) => ({ error_code: code, description });

test('uploads arrive whole, whatever they are called', async (t) => {
  const { telegram, api } = await open(t);
  const anna = telegram.person(1);
  const bytes = await photo();
  for (const name of ['a b.jpg', 'Доска «1».jpg', 'board.jpg']) {
    const message = await api.sendDocument(1, new InputFile(bytes, name), { caption: 'Подпись' });
    assert.equal(message.document.file_name, name);
    assert.equal(message.caption, 'Подпись');
    assert.deepEqual(new Uint8Array(telegram.fileOf(message as never).bytes), bytes);
  }
  const album = await api.sendMediaGroup(1, [
    { type: 'photo', media: new InputFile(bytes) },
    { type: 'photo', media: new InputFile(bytes) },
  ]);
  assert.equal(
    new Set(album.map((message) => (message as { media_group_id?: string }).media_group_id)).size,
    1,
  );
  const again = await api.sendDocument(
    1,
    (await api.sendDocument(1, new InputFile(bytes, 'x.jpg'))).document.file_id,
  );
  assert.ok(again.document);
  assert.deepEqual(telegram.complaints(), []);
  assert.equal(telegram.messages(anna.chat, true).length, 7);
});

test('what does not fit the types of the Bot API is refused, and remembered', async (t) => {
  const { telegram, api } = await open(t);
  telegram.person(1);
  const wrong: [string, object][] = [
    ['sendMessage', { chat_id: 1 }],
    ['sendMessage', { chat_id: 1, text: 'x', colour: 'red' }],
    ['sendMessage', { chat_id: 1, text: 5 }],
    ['setMessageReaction', { chat_id: 1, message_id: 1, reaction: [{ type: 'emoji', emoji: 'X' }] }],
    ['sendMessage', { chat_id: 1, text: 'x', reply_markup: { inline_keyboard: [{ text: 'x' }] } }],
  ];
  const raw = api.raw as unknown as Record<string, (payload: object) => Promise<unknown>>;
  for (const [method, payload] of wrong) {
    await assert.rejects(raw[method]?.(payload) ?? Promise.resolve(), refused(/wrong parameters/));
  }
  assert.equal(telegram.complaints().length, wrong.length);
  await assert.rejects(raw.sendEverything?.({}) ?? Promise.resolve(), { error_code: 404 });
});

test('limits are told in Telegram’s own words', async (t) => {
  const { telegram, api } = await open(t);
  const anna = telegram.person(1);
  const sent = await api.sendMessage(1, 'x');
  const data = { reply_markup: { inline_keyboard: [[{ text: 'x', callback_data: 'я'.repeat(33) }]] } };
  await assert.rejects(api.sendMessage(1, 'x', data), refused(/BUTTON_DATA_INVALID/));
  await assert.rejects(api.sendMessage(1, 'x'.repeat(4097)), refused(/message is too long/));
  await assert.rejects(api.sendMessage(1, '<b>x', { parse_mode: 'HTML' }), refused(/can't parse entities/));
  await assert.rejects(api.sendMessage(2, 'x'), refused(/chat not found/));
  await assert.rejects(api.editMessageText(1, sent.message_id, 'x'), refused(/message is not modified/));
  await assert.rejects(api.editMessageText(1, 999, 'y'), refused(/message to edit not found/));
  await assert.rejects(api.deleteMessage(1, 999), refused(/message to delete not found/));
  const reply = { reply_parameters: { message_id: 999 } };
  await assert.rejects(api.sendMessage(1, 'x', reply), refused(/message to be replied not found/));
  await assert.rejects(api.sendMessage(1, 'x', { message_thread_id: 5 }), refused(/thread not found/));
  await assert.rejects(api.answerCallbackQuery('1'), refused(/query is too old/));
  await assert.rejects(api.getFile('nothing'), refused(/wrong file_id/));
  await assert.rejects(
    api.sendPhoto(1, new InputFile(await photo(2000, 40))),
    refused(/PHOTO_INVALID_DIMENSIONS/),
  );
  await assert.rejects(api.sendPhoto(1, new InputFile(new Uint8Array(100))), refused(/IMAGE_PROCESS_FAILED/));
  const one = { type: 'photo', media: new InputFile(await photo()) } as const;
  await assert.rejects(api.sendMediaGroup(1, [one]), refused(/at least 2/));
  anna.block();
  await assert.rejects(api.sendMessage(1, 'x'), refused(/bot was blocked by the user/, 403));
  const group = telegram.group('G');
  const to = telegram.migrate(group);
  await assert.rejects(api.sendMessage(group.chat.id, 'x'), {
    parameters: { migrate_to_chat_id: to.chat.id },
  });
  assert.deepEqual(telegram.complaints(), []);
});

test('updates come until they are confirmed, and one asker drives out the other', async (t) => {
  const { telegram, api } = await open(t);
  const anna = telegram.person(1);
  anna.sendText('one');
  anna.sendText('two');
  const [first, second] = await api.getUpdates();
  assert.deepEqual([first?.message?.text, second?.message?.text], ['one', 'two']);
  const hurried = await api.getUpdates();
  assert.equal(hurried.length, 1, 'the same offset again at once: one update at a time');
  const offset = (second?.update_id ?? 0) + 1;
  const waiting = api.getUpdates({ offset, timeout: 20 });
  await new Promise((done) => setImmediate(done));
  const other = api.getUpdates({ offset, timeout: 20 });
  await assert.rejects(waiting, refused(/terminated by other getUpdates/, 409));
  anna.sendText('three');
  assert.equal((await other)[0]?.message?.text, 'three');
  assert.equal(telegram.updates.confirmed(), offset);
});

test('in a group a bot sees what is meant for it', async (t) => {
  const { telegram, api } = await open(t);
  const chat = telegram.group('G');
  const anna = telegram.person(1);
  anna.sendText('not for bots', { chat });
  anna.sendText('/enhance', { chat });
  const seen = await api.getUpdates();
  assert.deepEqual(
    seen.map(({ message }) => message?.text),
    ['/enhance'],
  );
});

test('faults come as ordered, and too fast a sender is complained about', async (t) => {
  const { telegram, api } = await open(t);
  telegram.person(1);
  telegram.fail({ method: 'sendMessage', kind: 429, retryAfter: 3 });
  await assert.rejects(api.sendMessage(1, 'x'), { error_code: 429, parameters: { retry_after: 3 } });
  telegram.fail({ method: 'sendMessage', kind: 'lost' });
  await assert.rejects(api.sendMessage(1, 'lost but there'), { name: 'HttpError' });
  telegram.fail({ method: 'sendMessage', kind: 'html' });
  await assert.rejects(api.sendMessage(1, 'x'), { name: 'HttpError' });
  assert.deepEqual(telegram.calls.map(({ lost }) => lost).filter(Boolean), [true]);
  for (let message = 0; message < 40; message++) await api.sendMessage(1, `${message}`);
  assert.match(telegram.complaints().join(), /messages within ten seconds in 1/);
});

test('grammY’s own bot works on it', async (t) => {
  const { telegram } = await open(t);
  const bot = new Bot(telegram.token, { client: { apiRoot: telegram.url } });
  const heard = Promise.withResolvers<string>();
  bot.on('message:text', (ctx) => heard.resolve(ctx.message.text));
  const running = bot.start();
  telegram.person(1).sendText('hello');
  assert.equal(await heard.promise, 'hello');
  await bot.stop();
  await running;
});
