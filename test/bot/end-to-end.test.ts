/** The bot on the fake Telegram, with the real API, worker and engine behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../src/engine/image-codec.ts';
import { photo } from '../helpers/api.ts';
import { eventually, meet, results, said } from '../telegram/meeting.ts';

test('a photo is seen at once and comes back as a file, in reply, with a preview and buttons', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  const sent = await anna.sendPhoto(await photo(64, 48));
  await eventually(() => anna.chat.reactions.get(sent.message_id) === '👀');
  const result = await eventually(() => results(telegram, anna.chat)[0]);
  assert.equal(result.reply_to_message?.message_id, sent.message_id);
  assert.match(result.caption ?? '', /^64×48 → 256×192/);
  assert.equal(result.document?.file_name, `board-${sent.message_id}_x4.jpg`);
  const { width, height } = await decode(telegram.fileOf(result).bytes, 'jpeg', { maxPixels: 1e6 });
  assert.deepEqual([width, height], [256, 192]);
  const call = telegram.calls.find(({ method }) => method === 'sendDocument');
  assert.ok(call?.parameters.thumbnail, 'with a preview');
  assert.deepEqual(
    result.reply_markup?.inline_keyboard.flat().map(({ text }) => text),
    ['×2', 'clean', 'Original', '👍', '👎', 'Share to a room'],
  );
  await eventually(() => telegram.updates.pending() === 0, 'the update was not confirmed');
});

test('a file keeps its name, Cyrillic too', async (t) => {
  const { telegram } = await meet(t);
  const boris = telegram.person(2, 'ru');
  await boris.sendFile(await photo(64, 48, 'png'), { name: 'Лекция 3; часть "1".png', mime: 'image/png' });
  const result = await eventually(() => results(telegram, boris.chat)[0]);
  assert.equal(result.document?.file_name, 'Лекция 3_ часть _1__x4.jpg');
});

test('an album of ten comes back as an album of ten, in the order sent', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  const photos = await Promise.all(Array.from({ length: 10 }, (_, index) => photo(40 + index, 30)));
  const sent = await anna.sendAlbum(photos, { shuffle: true });
  await eventually(() => results(telegram, anna.chat).length === 10, 'not all came', 60_000);
  const came = results(telegram, anna.chat);
  assert.equal(new Set(came.map(({ media_group_id: id }) => id)).size, 1);
  assert.ok(came[0]?.media_group_id);
  assert.deepEqual(
    came.map(({ caption }) => caption?.split('×')[0]),
    sent.map((_, index) => String(40 + index)),
  );
});

test('in a group it answers who asks it, in their topic, and nobody else', async (t) => {
  const { telegram } = await meet(t);
  const group = telegram.group('Analysis', { topics: [77] });
  const anna = telegram.person(1);
  const place = { chat: group, threadId: 77 };
  const silent = await anna.sendPhoto(await photo(64, 48), place);
  const asked = await anna.sendPhoto(await photo(60, 48), { ...place, caption: '/enhance' });
  const first = await eventually(() => results(telegram, group)[0]);
  assert.deepEqual([first.reply_to_message?.message_id, first.message_thread_id], [asked.message_id, 77]);
  anna.sendText('/enhance', { ...place, replyTo: silent });
  const second = await eventually(() => results(telegram, group)[1]);
  assert.equal(second.reply_to_message?.message_id, silent.message_id);
  anna.sendText('@boardsharp_bot please', { ...place, replyTo: asked });
  anna.sendText('just talking', place);
  anna.sendText('/enhance', place);
  await eventually(() => said(telegram, group, /Reply with \/enhance/));
});

test('as a photo where that is wished, as a file where Telegram takes no photo', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  anna.sendText('/settings');
  const menu = await eventually(() => said(telegram, anna.chat, /Settings/));
  anna.press(menu, 'sendAs=photo');
  await eventually(() =>
    /as a photo/.test(
      telegram.messages(anna.chat).find(({ message_id: id }) => id === menu.message_id)?.text ?? '',
    ),
  );
  await anna.sendPhoto(await photo(64, 48));
  const asPhoto = await eventually(() => results(telegram, anna.chat)[0]);
  assert.ok(asPhoto.photo);
  telegram.fail({ method: 'sendPhoto', kind: 400, description: 'Bad Request: PHOTO_INVALID_DIMENSIONS' });
  await anna.sendPhoto(await photo(60, 48));
  assert.ok((await eventually(() => results(telegram, anna.chat)[1])).document);
  await anna.sendPhoto(await photo(1200, 40));
  assert.ok((await eventually(() => results(telegram, anna.chat)[2])).document, 'too slim for a photo');
});

test('what is no photo, or too large, is answered with what to do', async (t) => {
  const { telegram } = await meet(t, { MAX_INPUT_BYTES: '4000' });
  const [anna, boris] = [telegram.person(1), telegram.person(2, 'ru')];
  anna.sendText('hello');
  await eventually(() => said(telegram, anna.chat, /Send me a photo/));
  await anna.sendFile(new Uint8Array(10), { name: 'notes.pdf', mime: 'application/pdf' });
  await eventually(() => said(telegram, anna.chat, /not an image I can read/));
  await boris.sendFile(new TextEncoder().encode('not a picture at all'), {
    name: 'x.heic',
    mime: 'application/octet-stream',
  });
  await eventually(() => said(telegram, boris.chat, /прочесть не могу/));
  const calls = () => telegram.calls.filter(({ method }) => method === 'getFile').length;
  const before = calls();
  await boris.sendFile(new Uint8Array(5000), { name: 'x.jpg' });
  await eventually(() => said(telegram, boris.chat, /Файл больше/));
  assert.equal(calls(), before, 'its size is known without fetching it');
});

test('buttons: the other scale, the original, an opinion; an old one is answered', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  const sent = await anna.sendPhoto(await photo(64, 48));
  const result = await eventually(() => results(telegram, anna.chat)[0]);
  anna.press(result, '×2');
  const other = await eventually(() => results(telegram, anna.chat)[1]);
  assert.match(other.caption ?? '', /→ 128×96/);
  assert.equal(other.reply_to_message?.message_id, sent.message_id);
  anna.press(result, 'clean');
  const clean = await eventually(() => results(telegram, anna.chat)[2]);
  assert.ok(clean.reply_markup?.inline_keyboard.flat().some(({ text }) => text === 'natural'));
  anna.press(result, 'Original');
  const original = await eventually(() => results(telegram, anna.chat)[3]);
  assert.deepEqual(new Uint8Array(telegram.fileOf(original).bytes), await photo(64, 48));
  const answerTo = (query: string): Promise<string> =>
    eventually(
      () =>
        telegram.state.callbacks.get(query)?.text ?? (telegram.state.callbacks.get(query)?.answered && ''),
    );
  assert.equal(await answerTo(anna.press(result, '👍')), 'Thank you!');
  const old = { ...result, reply_markup: { inline_keyboard: [[{ text: 'old', callback_data: '0:old' }]] } };
  assert.match(await answerTo(anna.press(old as never, 'old')), /too old/);
  const [data] = Object.values(result.reply_markup ?? {});
  assert.ok(data);
});

test('users talk to it in their language, see their data, and are forgotten', async (t) => {
  const { telegram } = await meet(t);
  const [anna, boris] = [telegram.person(1), telegram.person(2, 'ru')];
  anna.sendText('/start');
  boris.sendText('/start');
  await eventually(() => said(telegram, anna.chat, /after 72 hours/));
  await eventually(() => said(telegram, boris.chat, /через 72 часа/));
  boris.sendText('/language');
  boris.press(await eventually(() => said(telegram, boris.chat, /На каком языке/)), 'English');
  await eventually(() => said(telegram, boris.chat, /Saved/));
  boris.sendText('/privacy');
  await eventually(() => said(telegram, boris.chat, /What happens to your photos/));
  boris.sendText('/feedback very good');
  await eventually(() => said(telegram, boris.chat, /written down/));
  boris.sendText('/mydata');
  const data = await eventually(() => results(telegram, boris.chat)[0]);
  const rows = JSON.parse(telegram.fileOf(data).bytes.toString()) as { feedback: { comment: string }[] };
  assert.equal(rows.feedback[0]?.comment, 'very good');
  boris.sendText('/delete');
  boris.press(await eventually(() => said(telegram, boris.chat, /Erase your photos/)), 'Yes, erase');
  await eventually(() => said(telegram, boris.chat, /Everything is erased|Всё стёрто/));
  boris.sendText('/help');
  await eventually(() => said(telegram, boris.chat, /Как получить/), 'the language was forgotten too');
});

test('administrators see figures, ban, and write to everybody', async (t) => {
  const { telegram } = await meet(t);
  const [admin, anna] = [telegram.person(9), telegram.person(1)];
  anna.sendText('/stats');
  await eventually(() => said(telegram, anna.chat, /Send me a photo/), 'to others it is not there');
  admin.sendText('/stats');
  await eventually(() => said(telegram, admin.chat, /Users: \d+/));
  admin.sendText('/queue');
  await eventually(() => said(telegram, admin.chat, /Given up: 0/));
  admin.sendText('/ban 1 spam');
  await eventually(() => said(telegram, admin.chat, /Done/));
  await anna.sendPhoto(await photo(64, 48));
  await eventually(() => said(telegram, anna.chat, /cannot send photos/));
  admin.sendText('/unban 1');
  await eventually(
    () => telegram.messages(admin.chat, true).filter(({ text }) => text === 'Done.').length === 2,
  );
  admin.sendText('/broadcast Hello all || Привет всем');
  const draft = await eventually(() => said(telegram, admin.chat, /Draft/));
  const preview = telegram
    .messages(admin.chat, true)
    .filter(({ text }) => /^Hello all$|^Привет всем$/.test(text ?? ''));
  assert.deepEqual(
    preview.map(({ text }) => text),
    ['Hello all', 'Привет всем'],
  );
  const now = (): string =>
    telegram.messages(admin.chat).find(({ message_id: id }) => id === draft.message_id)?.text ?? '';
  admin.press(draft, 'Send');
  admin.press({ ...draft, reply_markup: relabel(draft, ':send:', ':stop:') } as never, ':stop:');
  await eventually(() => /Stopped|Done/.test(now()));
  if (/Stopped/.test(now())) admin.press(draft, 'Send');
  await eventually(() => said(telegram, anna.chat, /Hello all/));
  await eventually(() => /Done.*Sent: 2/.test(now()), 'it is not told that it is done');
  const got = (person: typeof anna) =>
    telegram.messages(person.chat, true).filter(({ text }) => text === 'Hello all').length;
  // The administrator has the preview besides.
  assert.deepEqual([got(anna), got(admin)], [1, 2]);
});

/** The buttons of a message with other data. */
function relabel({ reply_markup: markup }: { reply_markup?: unknown }, from: string, to: string): unknown {
  return JSON.parse(JSON.stringify(markup).replaceAll(from, to));
}

test('photos sent while the bot was away are done when it is back, each once', async (t) => {
  const { telegram, restart, stop } = await meet(t);
  const anna = telegram.person(1);
  await anna.sendPhoto(await photo(64, 48));
  await eventually(() => results(telegram, anna.chat)[0]);
  await stop();
  await anna.sendPhoto(await photo(62, 48));
  await anna.sendPhoto(await photo(60, 48));
  await restart();
  await eventually(() => results(telegram, anna.chat).length === 3);
  await eventually(() => telegram.updates.pending() === 0);
  await restart();
  anna.sendText('/help');
  await eventually(() => said(telegram, anna.chat, /How to get/));
  assert.equal(results(telegram, anna.chat).length, 3);
});

test('what Telegram refuses is tried again when it says, and given up where nobody can be reached', async (t) => {
  const { telegram } = await meet(t);
  const [anna, boris] = [telegram.person(1), telegram.person(2)];
  telegram.fail({ method: 'sendDocument', kind: 429, retryAfter: 1 });
  telegram.fail({ method: 'sendDocument', kind: 500 });
  telegram.fail({ method: 'sendDocument', kind: 'html' });
  telegram.fail({ method: 'file', kind: 'cut' });
  await anna.sendPhoto(await photo(64, 48));
  await eventually(() => results(telegram, anna.chat)[0], 'it was lost', 60_000);
  await boris.sendPhoto(await photo(64, 48));
  boris.block();
  await anna.sendPhoto(await photo(60, 48));
  await eventually(() => results(telegram, anna.chat)[1]);
  assert.equal(results(telegram, anna.chat).length, 2);
});

test('a photo waits for a Telegram that does not give it', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  telegram.fail({ method: 'getFile', kind: 429, retryAfter: 0, times: 9 });
  telegram.fail({ method: 'file', kind: 429 });
  await anna.sendPhoto(await photo(64, 48));
  await eventually(() => results(telegram, anna.chat)[0], 'it was given up', 60_000);
});

test('a group that becomes a supergroup gets its result there', async (t) => {
  const { telegram } = await meet(t);
  const group = telegram.group('Physics');
  const anna = telegram.person(1);
  telegram.fail({ method: 'getFile', kind: 500 });
  await anna.sendPhoto(await photo(64, 48), { chat: group, caption: '/enhance' });
  const to = telegram.migrate(group);
  // The first message over there has the number of the photo over here.
  anna.sendText('Now we are many', { chat: to });
  const result = await eventually(() => results(telegram, to)[0], 'it did not follow', 60_000);
  assert.ok(result.document);
  assert.equal(result.reply_to_message, undefined, 'it replies to somebody else');
});
