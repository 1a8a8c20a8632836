/** The fake itself: that it takes what Telegram takes, through the real grammY, and refuses what Telegram refuses. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Api, Bot, GrammyError, HttpError, InputFile, InputMediaBuilder } from 'grammy';
import { photo } from '../helpers/api.ts';
import { type FakeTelegram, startFakeTelegram } from './fake-telegram.ts';

const DAY_MS = 86_400_000;

async function start(t: TestContext, options: Parameters<typeof startFakeTelegram>[0] = {}) {
  const telegram = await startFakeTelegram(options);
  t.after(() => telegram.close());
  return { telegram, api: new Api(telegram.token, { apiRoot: telegram.url }) };
}

/** Telegram's refusal, with its code and its words. */
async function refuses(call: Promise<unknown>, code: number, words: RegExp): Promise<GrammyError> {
  const error = await call.then(
    () => assert.fail(`it was not refused with ${words}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GrammyError, String(error));
  assert.equal(error.error_code, code);
  assert.match(error.description, words);
  return error;
}

/** A method as it is not typed. */
function raw(api: Api): Record<string, (parameters: object) => Promise<unknown>> {
  return api.raw as never;
}

async function download({ url, token }: FakeTelegram, path: string | undefined): Promise<Response> {
  return fetch(`${url}/file/bot${token}/${path}`);
}

test('files arrive with their names, alone and in albums, Cyrillic and with spaces', async (t) => {
  const { telegram, api } = await start(t);
  const { chat } = telegram.person(1);
  const bytes = await photo(64, 48);
  const name = 'Доска № 3 (левая).jpg';
  const sent = await api.sendDocument(1, new InputFile(bytes, name), {
    thumbnail: new InputFile(await photo(32, 24), 'preview.jpg'),
  });
  assert.equal(sent.document.file_name, name);
  assert.deepEqual(new Uint8Array(telegram.fileOf(sent as never).bytes), bytes);
  const album = await api.sendMediaGroup(
    1,
    ['первая.png', 'вторая с пробелом.png'].map((file) =>
      InputMediaBuilder.document(new InputFile(bytes, file)),
    ),
  );
  assert.deepEqual(
    album.map((message) => ('document' in message ? message.document?.file_name : undefined)),
    ['первая.png', 'вторая с пробелом.png'],
  );
  assert.equal(
    new Set(album.map((message) => 'media_group_id' in message && message.media_group_id)).size,
    1,
  );
  assert.equal(telegram.messages(chat, true).length, 3);
  // Telegram reads a name up to the first semicolon, whatever stands around it.
  const cut = await api.sendDocument(1, new InputFile(bytes, 'x;y.png'));
  assert.equal(cut.document.file_name, 'x');
  assert.deepEqual(telegram.complaints(), []);
});

test('a file is sent again by its id, as what it is', async (t) => {
  const { telegram, api } = await start(t);
  telegram.person(1);
  const { document } = await api.sendDocument(1, new InputFile(await photo(64, 48), 'a.jpg'));
  await api.sendDocument(1, document.file_id);
  await refuses(api.sendPhoto(1, document.file_id), 400, /can't use file of type document as photo/);
  await refuses(api.sendDocument(1, 'unknown'), 400, /wrong file identifier/);
});

test('a photo is fetched through getFile alone, for an hour, and up to 20 MB', async (t) => {
  let nowMs = Date.now();
  const { telegram, api } = await start(t, { now: () => nowMs });
  const anna = telegram.person(1);
  const bytes = await photo(64, 48);
  const { photo: sizes } = await anna.sendPhoto(bytes);
  const largest = sizes?.at(-1);
  assert.ok(largest);
  const stored = telegram.state.files.get(largest.file_id);
  assert.equal((await download(telegram, stored?.path)).status, 404, 'nobody asked for it yet');
  const { file_path: path } = await api.getFile(largest.file_id);
  assert.deepEqual(new Uint8Array(await (await download(telegram, path)).arrayBuffer()), bytes);
  nowMs += 2 * 3_600_000;
  assert.equal((await download(telegram, path)).status, 404, 'its address is old');
  const { document } = await anna.sendFile(new Uint8Array(20 * 2 ** 20 + 1));
  await refuses(api.getFile(document?.file_id ?? ''), 400, /file is too big/);
});

test('what does not fit the types is refused, and a complaint', async (t) => {
  const { telegram, api } = await start(t);
  telegram.person(1);
  const wrong: [string, object, RegExp][] = [
    ['sendMessage', { chat_id: 1 }, /sendMessage.text: missing/],
    ['sendMessage', { chat_id: 1, text: 'x', quiet: true }, /sendMessage.quiet: not known/],
    ['sendMessage', { chat_id: 1, text: 'x', parse_mode: 'Html' }, /parse_mode: not "/],
    ['sendMessage', { chat_id: 1, text: 'x', reply_parameters: { message: 1 } }, /reply_parameters/],
    ['sendChatAction', { chat_id: 1, action: 'painting' }, /action/],
    [
      'setMessageReaction',
      { chat_id: 1, message_id: 1, reaction: [{ type: 'emoji', emoji: '🧽' }] },
      /reaction/,
    ],
    [
      'sendMessage',
      { chat_id: 1, text: 'x', reply_markup: { inline_keyboard: [{ text: 'a' }] } },
      /inline_keyboard/,
    ],
  ];
  for (const [method, parameters, words] of wrong) {
    await refuses(raw(api)[method]?.(parameters) ?? Promise.resolve(), 400, words);
    assert.match(telegram.complaints().at(-1) ?? '', words);
  }
  assert.equal(telegram.complaints().length, wrong.length);
  await refuses(raw(api).sendMesage?.({ chat_id: 1 }) ?? Promise.resolve(), 404, /method not found/);
});

test('a file that nothing refers to is a complaint', async (t) => {
  const { telegram } = await start(t);
  telegram.person(1);
  const form = new FormData();
  form.set('chat_id', '1');
  form.set('text', 'x');
  form.set('stray', new Blob(['x']), 'stray.txt');
  await fetch(`${telegram.url}/bot${telegram.token}/sendMessage`, { method: 'POST', body: form });
  assert.deepEqual(telegram.complaints(), ['sendMessage: the file stray is referred to nowhere']);
});

test('limits are told in the words of Telegram', async (t) => {
  const { telegram, api } = await start(t);
  telegram.person(1);
  const file = async (width: number, height: number) => new InputFile(await photo(width, height), 'a.jpg');
  const button = (data: string) => ({
    reply_markup: { inline_keyboard: [[{ text: 'a', callback_data: data }]] },
  });
  const { message_id: id } = await api.sendMessage(1, 'one', button('ж'.repeat(32)));
  await refuses(api.sendMessage(1, 'x', button('ж'.repeat(33))), 400, /BUTTON_DATA_INVALID/);
  await refuses(api.sendMessage(1, 'x'.repeat(4097)), 400, /message is too long/);
  await refuses(api.sendMessage(1, '<b>x', { parse_mode: 'HTML' }), 400, /can't parse entities/);
  assert.equal((await api.sendMessage(1, '1 <b> 2')).text, '1 <b> 2', 'without a mode it is a text');
  await refuses(api.editMessageText(1, id, 'one', button('ж'.repeat(32))), 400, /message is not modified/);
  await refuses(api.editMessageText(1, 99, 'x'), 400, /message to edit not found/);
  await refuses(api.deleteMessage(1, 99), 400, /message to delete not found/);
  await refuses(api.sendMessage(1, 'x', { reply_parameters: { message_id: 99 } }), 400, /replied not found/);
  await api.sendMessage(1, 'x', { reply_parameters: { message_id: 99, allow_sending_without_reply: true } });
  await refuses(api.sendMessage(1, 'x', { message_thread_id: 5 }), 400, /message thread not found/);
  await refuses(api.sendMessage(2, 'x'), 400, /chat not found/);
  await refuses(api.sendPhoto(1, await file(420, 20)), 400, /PHOTO_INVALID_DIMENSIONS/);
  await refuses(api.sendPhoto(1, new InputFile(new Uint8Array(9), 'a.jpg')), 400, /IMAGE_PROCESS_FAILED/);
  await refuses(api.sendDocument(1, new InputFile(new Uint8Array(50 * 2 ** 20 + 1), 'a')), 413, /Too Large/);
  const media = await Promise.all(
    Array.from({ length: 11 }, async () => InputMediaBuilder.document(await file(20, 20))),
  );
  await refuses(api.sendMediaGroup(1, media), 400, /too much messages/);
  await refuses(api.setMyCommands([{ command: 'Start', description: 'x' }]), 400, /BOT_COMMAND_INVALID/);
  await refuses(api.answerCallbackQuery('1'), 400, /query is too old/);
  assert.deepEqual(telegram.complaints(), []);
  await api.sendDocument(1, await file(20, 20), { thumbnail: await file(321, 20) });
  assert.deepEqual(telegram.complaints(), ['sendDocument: a thumbnail is 321×20']);
});

test('a button is answered once, in time; its press is forgotten soon, a message after a day', async (t) => {
  let nowMs = Date.now();
  const { telegram, api } = await start(t, { now: () => nowMs });
  const anna = telegram.person(1);
  const sent = await api.sendMessage(1, 'x', {
    reply_markup: { inline_keyboard: [[{ text: 'yes', callback_data: 'y' }]] },
  });
  const first = anna.press(sent as never, 'yes');
  await api.answerCallbackQuery(first, { text: 'well' });
  await refuses(api.answerCallbackQuery(first), 400, /query is too old/);
  anna.sendText('hello');
  assert.equal((await api.getUpdates({ offset: 1 })).length, 2);
  const late = anna.press(sent as never, 'yes');
  nowMs += 160_000;
  await refuses(api.answerCallbackQuery(late), 400, /query is too old/);
  anna.press(sent as never, 'yes');
  assert.deepEqual(
    (await api.getUpdates({ offset: 2 })).map((update) => Object.keys(update)[1]),
    ['message', 'callback_query'],
    'the older presses are gone',
  );
  nowMs += DAY_MS;
  assert.deepEqual(await api.getUpdates(), []);
  nowMs += DAY_MS;
  await refuses(api.deleteMessage(1, sent.message_id), 400, /message can't be deleted/);
});

test('who blocked the bot, and a group that moved, say so', async (t) => {
  const { telegram, api } = await start(t);
  const anna = telegram.person(1);
  anna.block();
  await refuses(api.sendMessage(1, 'x'), 403, /bot was blocked by the user/);
  const group = telegram.group('Analysis', { topics: [5] });
  await api.sendMessage(group.chat.id, 'x', { message_thread_id: 5 });
  const moved = telegram.migrate(group);
  const { parameters } = await refuses(api.sendMessage(group.chat.id, 'x'), 400, /upgraded to a supergroup/);
  assert.equal(parameters.migrate_to_chat_id, moved.chat.id);
});

test('one asks for updates at a time, and nobody while there is a webhook', async (t) => {
  const { telegram, api } = await start(t);
  const anna = telegram.person(1);
  const waiting = refuses(api.getUpdates({ timeout: 50 }), 409, /terminated by other getUpdates/);
  await telegram.updates.waited();
  assert.deepEqual(await api.getUpdates(), []);
  await waiting;
  const awaited = api.getUpdates({ timeout: 50 });
  await telegram.updates.waited();
  anna.sendText('one');
  assert.equal((await awaited).length, 1);
  anna.sendText('two');
  const [one, none] = await api.getUpdates();
  assert.ok(one);
  assert.equal(none, undefined, 'the same offset again at once gives one');
  const [two] = await api.getUpdates({ offset: one.update_id + 1 });
  assert.equal(two?.update_id, one.update_id + 1);
  assert.equal(telegram.updates.pending(), 1, 'the first is confirmed');
  await api.setWebhook('https://127.0.0.1:1/', { drop_pending_updates: true });
  assert.equal(telegram.updates.pending(), 0);
  await refuses(api.getUpdates(), 409, /can't use getUpdates method while webhook is active/);
  await api.deleteWebhook();
  assert.deepEqual(await api.getUpdates(), []);
});

test('the kinds of updates that were asked for are remembered', async (t) => {
  const { telegram, api } = await start(t);
  const anna = telegram.person(1);
  await api.getUpdates({ allowed_updates: ['callback_query'] });
  anna.sendText('not wanted');
  assert.deepEqual(await api.getUpdates({ offset: 1 }), []);
  await api.getUpdates({ offset: 2, allowed_updates: ['message'] });
  anna.sendText('wanted');
  assert.equal((await api.getUpdates({ offset: 3 })).length, 1);
});

test('a webhook gets each update with its secret, again until it says 200', async (t) => {
  let port = 0;
  const { telegram, api } = await start(t, { behind: () => `http://127.0.0.1:${port}/hook` });
  const anna = telegram.person(1);
  const got: { secret: unknown; text: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const update = JSON.parse(Buffer.concat(chunks).toString()) as { message: { text: string } };
    got.push({ secret: request.headers['x-telegram-bot-api-secret-token'], text: update.message.text });
    response.writeHead(got.length === 1 ? 503 : 200).end();
    if (got.length === 3) server.emit('three');
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  const three = once(server, 'three');
  await api.setWebhook('https://bot.example/hook', { secret_token: 'abc-DEF_1' });
  anna.sendText('one');
  anna.sendText('two');
  await three;
  assert.deepEqual(
    got.map(({ text }) => text),
    ['one', 'one', 'two'],
  );
  assert.ok(got.every(({ secret }) => secret === 'abc-DEF_1'));
  await refuses(api.setWebhook('http://bot.example/'), 400, /An HTTPS URL must be provided/);
  await refuses(api.setWebhook('https://bot.example/', { secret_token: 'ä' }), 400, /unallowed characters/);
});

test('faults: refused, lost after it was done, cut before, a proxy that speaks HTML', async (t) => {
  const { telegram, api } = await start(t);
  const { chat } = telegram.person(1);
  telegram.fail({ method: 'sendMessage', kind: 429, retryAfter: 3 });
  const { parameters } = await refuses(api.sendMessage(1, 'a'), 429, /Too Many Requests: retry after 3/);
  assert.equal(parameters.retry_after, 3);
  telegram.forgetPauses();
  telegram.fail({ kind: 500 });
  await refuses(api.sendMessage(1, 'b'), 500, /Internal Server Error/);
  telegram.fail({ method: 'sendMessage', kind: 'html' });
  await assert.rejects(api.sendMessage(1, 'c'), HttpError);
  telegram.fail({ method: 'sendMessage', kind: 'cut' });
  await assert.rejects(api.sendMessage(1, 'd'), HttpError);
  telegram.fail({ method: 'sendMessage', kind: 'lost' });
  await assert.rejects(api.sendMessage(1, 'e'), HttpError);
  await api.sendMessage(1, 'f');
  assert.deepEqual(
    telegram.messages(chat, true).map(({ text }) => text),
    ['e', 'f'],
  );
  assert.deepEqual(
    telegram.calls.map(({ lost }) => lost),
    [false, false, true, false],
  );
  assert.deepEqual(telegram.complaints(), []);
});

test('broken rates are complaints: too many, and too soon after a 429', async (t) => {
  const { telegram, api } = await start(t);
  telegram.person(1);
  const group = telegram.group('Analysis');
  await Promise.all(Array.from({ length: 31 }, (_, index) => api.sendMessage(1, `${index}`)));
  for (let index = 0; index < 21; index++) await api.sendMessage(group.chat.id, `${index}`);
  const words = telegram.complaints().join('\n');
  assert.match(words, /messages within a second over all chats/);
  assert.match(words, /21 messages within a minute in the group/);
  assert.match(words, /messages within ten seconds in 1/);
  telegram.fail({ method: 'sendMessage', kind: 429, retryAfter: 60 });
  await refuses(api.sendMessage(1, 'x'), 429, /retry after 60/);
  await api.sendMessage(1, 'x');
  assert.match(telegram.complaints().join('\n'), /sendMessage: to 1 before its 429 is over/);
});

test('a wrong token is told nothing', async (t) => {
  const { telegram } = await start(t);
  const answer = await fetch(`${telegram.url}/bot1:wrong/getMe`);
  assert.equal(answer.status, 401);
  assert.equal((await fetch(`${telegram.url}/file/bot1:wrong/photos/file_1.jpg`)).status, 401);
});

test('in a group a bot sees what is meant for it', async (t) => {
  const { telegram, api } = await start(t);
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

test('grammY’s own bot works on it', async (t) => {
  const { telegram } = await start(t);
  const bot = new Bot(telegram.token, { client: { apiRoot: telegram.url } });
  const heard = Promise.withResolvers<string>();
  bot.on('message:text', (ctx) => heard.resolve(ctx.message.text));
  const running = bot.start();
  telegram.person(1).sendText('hello');
  assert.equal(await heard.promise, 'hello');
  await bot.stop();
  await running;
});
