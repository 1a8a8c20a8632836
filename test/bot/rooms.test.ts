/** Rooms on the fake Telegram, with the real API, worker and engine behind the bot. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { photo } from '../helpers/api.ts';
import type { FakeTelegram } from '../telegram/fake-telegram.ts';
import { eventually, meet, results, said } from '../telegram/meeting.ts';

type Person = ReturnType<FakeTelegram['person']>;

/** The last message of the bot with these words. */
function last(telegram: FakeTelegram, { chat }: Person, words: RegExp) {
  return telegram
    .messages(chat, true)
    .filter(({ text, caption }) => words.test(text ?? caption ?? ''))
    .at(-1);
}

/** Makes a room as `owner` would, and lets the others join by its link. */
async function openRoom(telegram: FakeTelegram, owner: Person, others: readonly Person[]): Promise<string> {
  owner.sendText('/room Analysis');
  const room = await eventually(() => last(telegram, owner, /Analysis/));
  owner.press(room, 'Invite');
  const invitation = await eventually(() => last(telegram, owner, /Room Analysis: scan/));
  assert.ok(invitation.photo, 'with a QR picture');
  const [, code] = /start=r_([\w-]{22})$/.exec(invitation.caption ?? '') ?? [];
  assert.ok(code);
  for (const other of others) {
    other.sendText(`/start r_${code}`);
    const question = await eventually(() =>
      last(telegram, other, /seen by everybody in it|увидят все участники/),
    );
    other.press(question, 'join');
    await eventually(() => last(telegram, other, /In reply to a picture|В ответ на картинку/));
  }
  return code;
}

async function share(telegram: FakeTelegram, person: Person): Promise<void> {
  const before = results(telegram, person.chat).length;
  await person.sendPhoto(await photo(64, 48));
  const result = await eventually(() => results(telegram, person.chat)[before]);
  person.press(result, ':share:');
}

const roomPictures = (telegram: FakeTelegram, { chat }: Person) =>
  results(telegram, chat).filter(({ caption }) => /^(Room|Комната) Analysis$/.test(caption ?? ''));

async function open(t: TestContext) {
  const { telegram, url } = await meet(t);
  const [owner, anna, boris] = [telegram.person(1), telegram.person(2), telegram.person(3, 'ru')];
  const code = await openRoom(telegram, owner, [anna, boris]);
  return { telegram, url, owner, anna, boris, code };
}

test('a shared picture reaches every other member without being uploaded again', async (t) => {
  const { telegram, owner, anna, boris } = await open(t);
  await share(telegram, anna);
  await eventually(
    () => roomPictures(telegram, owner).length === 1 && roomPictures(telegram, boris).length === 1,
  );
  assert.equal(roomPictures(telegram, anna).length, 0, 'who shared it has it');
  const sendings = telegram.calls.filter(
    ({ method, parameters }) =>
      method === 'sendDocument' && /^(Room|Комната)/.test(String(parameters.caption)),
  );
  assert.ok(sendings.every(({ parameters }) => typeof parameters.document === 'string'));
});

test('an album stays an album, shared by a reply to one of its pictures', async (t) => {
  const { telegram, owner, anna } = await open(t);
  await anna.sendAlbum(await Promise.all([40, 41, 42].map((width) => photo(width, 30))));
  const [first] = await eventually(() => {
    const came = results(telegram, anna.chat);
    return came.length === 3 && came;
  });
  assert.ok(first);
  anna.sendText('/share', { replyTo: first });
  const album = await eventually(() => {
    const came = results(telegram, owner.chat).filter(({ document }) => document);
    return came.length === 3 && came;
  });
  assert.equal(new Set(album.map(({ media_group_id: id }) => id)).size, 1);
  assert.equal(album.at(-1)?.caption, 'Room Analysis');
});

test('what a moderator removes is gone from every chat; a report reaches the administrators', async (t) => {
  const { telegram, owner, anna, boris } = await open(t);
  const administrator = telegram.person(9, 'ru');
  administrator.sendText('/start');
  await share(telegram, anna);
  const [picture] = await eventually(() => {
    const came = roomPictures(telegram, boris);
    return came.length === 1 && came;
  });
  assert.ok(picture);
  boris.press(picture, 'Пожаловаться');
  const report = await eventually(() =>
    last(telegram, administrator, /Жалоба в комнате Analysis; поделился 2/),
  );
  assert.ok(report.document);
  const own = await eventually(() => roomPictures(telegram, owner)[0]);
  owner.press(own, 'Remove for everybody');
  await eventually(
    () => roomPictures(telegram, boris).length === 0 && roomPictures(telegram, owner).length === 0,
  );
});

test('a member who was removed is out, with the old link and with the new one', async (t) => {
  const { telegram, owner, anna, boris, code, url } = await open(t);
  owner.sendText('/room');
  const list = await eventually(() => last(telegram, owner, /Your rooms/));
  owner.press(list, 'Analysis');
  const room = await eventually(() => {
    const message = telegram.messages(owner.chat).find(({ message_id: id }) => id === list.message_id);
    return /3 people/.test(message?.text ?? '') && message;
  });
  owner.press(room, 'Members');
  const members = await eventually(() => {
    const message = telegram.messages(owner.chat).find(({ message_id: id }) => id === list.message_id);
    return message?.reply_markup?.inline_keyboard.flat().some(({ text }) => /^Remove /.test(text)) && message;
  });
  const name = `${anna.user.first_name}`;
  owner.press(members, `Remove ${name}`);
  await eventually(() => {
    const message = telegram.messages(owner.chat).find(({ message_id: id }) => id === list.message_id);
    return !message?.text?.includes(name) && message;
  });
  assert.equal((await fetch(`${url}/v1/gallery/${code}`)).status, 404);
  anna.sendText(`/start r_${code}`);
  await eventually(() => last(telegram, anna, /no such room any more/));
  await share(telegram, boris);
  await eventually(() => roomPictures(telegram, owner).length === 1);
  assert.equal(roomPictures(telegram, anna).length, 0);
});

test('who wishes it shares everything; who wishes nothing gets nothing', async (t) => {
  const { telegram, owner, anna, boris } = await open(t);
  const about = await eventually(() => last(telegram, anna, /In reply to a picture/));
  anna.press(about, 'shares:always');
  await eventually(() =>
    telegram
      .messages(anna.chat)
      .some(({ reply_markup: markup }) =>
        markup?.inline_keyboard.flat().some(({ text }) => text === 'Shared: everything'),
      ),
  );
  const wishes = await eventually(() => last(telegram, boris, /В ответ на картинку/));
  boris.press(wishes, 'receives:digest');
  await eventually(() =>
    last(telegram, boris, /В ответ на картинку/)
      ?.reply_markup?.inline_keyboard.flat()
      .some(({ text }) => text === 'Получаю: подборкой'),
  );
  await anna.sendPhoto(await photo(64, 48));
  await eventually(() => roomPictures(telegram, owner).length === 1);
  assert.equal(roomPictures(telegram, boris).length, 0);
});

test('a group becomes a room by its administrators alone, and what is asked there stands on the page', async (t) => {
  const { telegram, url } = await meet(t);
  const [anna, boris] = [telegram.person(1), telegram.person(2)];
  const chat = telegram.group('Lecture', { topics: [7], administrators: [2] });
  const place = { chat, threadId: 7 };
  anna.sendText('/room', place);
  await eventually(() => said(telegram, chat, /Only administrators/));
  boris.sendText('/room', place);
  const invitation = await eventually(() => said(telegram, chat, /Room Lecture: scan/));
  const [, code] = /start=r_([\w-]{22})$/.exec(invitation.caption ?? '') ?? [];
  await anna.sendPhoto(await photo(64, 48), { ...place, caption: '/enhance' });
  const gallery = async () =>
    (await (await fetch(`${url}/v1/gallery/${code}`)).json()) as { pictures: unknown[]; title: string };
  let shown = await gallery();
  const until = performance.now() + 30_000;
  while (shown.pictures.length === 0 && performance.now() < until) shown = await gallery();
  assert.deepEqual([shown.title, shown.pictures.length], ['Lecture', 1]);
});

test('what a room cannot do is said in a sentence', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  for (const [text, answer] of [
    ['/room', /in no room yet/],
    ['/join nonsense', /Write the link or the code/],
    ['/join https://t.me/boardsharp_bot?start=r_AAAAAAAAAAAAAAAAAAAAAA', /no such room any more/],
    ['/start r_AAAAAAAAAAAAAAAAAAAAAA', /no such room any more/],
    ['/share', /Write \/share in reply/],
    ['/remove', /Write \/remove in reply/],
    ['/report', /Write \/report in reply/],
  ] as const) {
    const before = telegram.messages(anna.chat, true).length;
    const sent = anna.sendText(text);
    const reply = await eventually(() => telegram.messages(anna.chat, true)[before], text);
    assert.match(reply.text ?? '', answer);
    if (text === '/share') {
      anna.sendText('/remove', { replyTo: sent });
      await eventually(() => said(telegram, anna.chat, /shows no picture of a room/));
    }
  }
});
