/** What people and chat programs send that nobody thinks of: each ends in an answer, and none holds up the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from 'grammy/types';
import type { Desk } from '../../src/bot/desk.ts';
import { judge } from '../../src/bot/handle-update.ts';
import { AppError } from '../../src/errors.ts';
import { photo } from '../helpers/api.ts';
import { eventually, meet, results, said } from '../telegram/meeting.ts';

test('names of any length, and kinds of messages without a photo, are answered', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  const replies = () => telegram.messages(anna.chat, true).length;
  const post = (content: object): void => {
    const message = {
      message_id: anna.chat.nextId++,
      date: 1,
      chat: anna.chat.chat,
      from: anna.user,
      ...content,
    };
    anna.chat.messages.set(message.message_id, message as never);
    telegram.updates.add({ message: message as never });
  };
  for (const kind of [
    'video_note',
    'location',
    'contact',
    'audio',
    'animation',
    'sticker',
    'voice',
    'dice',
  ]) {
    const before = replies();
    post({ [kind]: {} });
    await eventually(() => replies() === before + 1, `${kind} is not answered`);
  }
  // Half of an update, and updates of kinds that nobody has heard of.
  telegram.updates.add({ message: {} as never });
  telegram.updates.add({} as never);
  post({ photo: [] });
  post({ pinned_message: {} });
  const before = replies();
  await anna.sendFile(await photo(64, 48), { name: `${'x'.repeat(300)}.jpg` });
  await anna.sendPhoto(await photo(60, 48), { caption: 'я'.repeat(1024) });
  await eventually(() => results(telegram, anna.chat).length === 2, 'a photo is lost', 60_000);
  anna.sendText('/feedback a\u0000b');
  await eventually(() => said(telegram, anna.chat, /Something went wrong on our side/), 'nobody says a word');
  assert.equal(replies(), before + 3, 'what tells of the chat is not answered');
  await eventually(() => telegram.updates.pending() === 0, 'something holds them up');
});

test('who has blocked the bot is left alone at once, and served again when they write', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  const tries = () => telegram.calls.filter(({ method }) => method === 'sendMessage').length;
  anna.chat.refusal = 'bot was blocked by the user';
  anna.sendText('/help');
  await eventually(() => telegram.updates.pending() === 0);
  assert.equal(tries(), 1);
  anna.chat.refusal = undefined;
  anna.sendText('/help');
  await eventually(() => said(telegram, anna.chat, /How to get/));
});

test('in a group: the name in any case, as the group itself, again, and by strangers', async (t) => {
  const { telegram } = await meet(t);
  const group = telegram.group('Analysis', { topics: [7] });
  const [anna, boris] = [telegram.person(1), telegram.person(2)];
  const place = { chat: group, threadId: 7 };
  const board = await anna.sendPhoto(await photo(64, 48), place);
  const post = (content: object): Message => {
    const fields = {
      message_id: group.nextId++,
      date: 1,
      chat: group.chat,
      message_thread_id: 7,
      is_topic_message: true,
    };
    const message = { ...fields, from: anna.user, ...content } as never as Message;
    group.messages.set(message.message_id, message as never);
    telegram.updates.add({ message: message as never });
    return message;
  };
  post({ photo: board.photo, caption: 'Please, @Boardsharp_Bot!' });
  const first = await eventually(() => results(telegram, group)[0], 'it does not know its name', 60_000);
  const nobody = { id: 1_087_968_824, is_bot: true, first_name: 'Group' };
  const anonymous = post({ photo: board.photo, caption: '/enhance', from: nobody, sender_chat: group.chat });
  const told = await eventually(() => said(telegram, group, /Write as yourself/));
  assert.match(told.text ?? '', /от своего имени/);
  assert.equal(group.reactions.has(anonymous.message_id), false);
  for (const time of [2, 3]) {
    anna.sendText('/enhance', { ...place, replyTo: board });
    await eventually(() => results(telegram, group).length === time, `not for the ${time}rd time`, 60_000);
  }
  const answerTo = (query: string): Promise<string> =>
    eventually(() => telegram.state.callbacks.get(query)?.text);
  for (const label of ['×2', '👍', 'Original']) {
    assert.match(await answerTo(boris.press(first, label)), /not your photo.*\/enhance/);
  }
  const now = group.messages.get(first.message_id);
  assert.ok(
    now?.reply_markup?.inline_keyboard.flat().some(({ text }) => text === '👍'),
    'hers are still there',
  );
  const notes = await anna.sendFile(new TextEncoder().encode('no picture'), { ...place, name: 'a.jpg' });
  for (const time of [1, 2]) {
    anna.sendText('/enhance', { ...place, replyTo: notes });
    const refusals = () =>
      telegram.messages(group, true).filter(({ text }) => /not an image/.test(text ?? '')).length;
    await eventually(() => refusals() === time, `refused ${refusals()} times`);
  }
  post({ text: 'and @boardsharp_bot2 is another' });
  post({ text: '/enhance@another_bot' });
  await eventually(() => telegram.updates.pending() === 0);
  assert.equal(said(telegram, group, /Reply with/), undefined);
});

test('answers to commands keep to the rates, and come', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  // More than twenty-five within ten seconds would be a complaint.
  for (let at = 0; at < 26; at++) anna.sendText('/help');
  await eventually(() => telegram.messages(anna.chat, true).length === 26, 'not all are answered', 60_000);
});

test('a wrong key and an API that is away are waited for; what it refuses is not asked again', async () => {
  const desk = {} as Desk;
  const about = (code: ConstructorParameters<typeof AppError>[0]) =>
    judge(desk, { update_id: 1 }, new AppError(code, 'x'));
  for (const code of [
    'UNAUTHORIZED',
    'API_UNREACHABLE',
    'STORAGE',
    'DATABASE',
    'RATE_LIMITED',
    'MODEL_MISSING',
  ] as const) {
    assert.equal(await about(code), 'away', code);
  }
  assert.equal(await about('INVALID_REQUEST'), 'refused');
  assert.equal(await about('INTERNAL'), 'api fault');
  assert.equal(await judge(desk, { update_id: 1 }, new TypeError('ours')), 'fault');
});
