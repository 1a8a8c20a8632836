/** The pilot in the bot, on the fake Telegram: ratings with reasons, surveys, the reading trial, consent, the report. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUserClient } from '../../src/client/telegram-client.ts';
import { photo } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { loadWords } from '../helpers/trial.ts';
import { eventually, meet, results, said } from '../telegram/meeting.ts';

const buttonsOf = (message: { reply_markup?: unknown } | undefined): string[] =>
  ((message?.reply_markup as { inline_keyboard?: { text: string }[][] })?.inline_keyboard ?? [])
    .flat()
    .map(({ text }) => text);

test('a thumb down asks why, once in three results, and takes words in reply', async (t) => {
  const { telegram, url } = await meet(t);
  const anna = telegram.person(1);
  for (let at = 0; at < 4; at++) {
    await anna.sendPhoto(await photo(60 + at, 48));
    await eventually(() => results(telegram, anna.chat).length === at + 1);
  }
  const asked = results(telegram, anna.chat).map((message) => buttonsOf(message).includes('👎'));
  assert.deepEqual(asked, [true, false, false, true]);
  const [first, , , last] = results(telegram, anna.chat);
  assert.ok(first && last);
  const now = (id: number) => telegram.messages(anna.chat).find(({ message_id: other }) => other === id);
  anna.press(first, '👎');
  await eventually(() => buttonsOf(now(first.message_id)).includes('Letters are wrong'));
  anna.press(now(first.message_id) ?? first, 'why:other');
  const question = await eventually(() => said(telegram, anna.chat, /Write it in reply/));
  assert.deepEqual(buttonsOf(now(first.message_id)), ['×2', 'clean', 'Original', 'Share to a room']);
  anna.sendText('the x became a y', { replyTo: question });
  await eventually(() => said(telegram, anna.chat, /it is written down/));
  anna.press(last, '👍');
  await eventually(() => !buttonsOf(now(last.message_id)).includes('👍'));
  const { feedback = [] } = await createUserClient({ url, user: 'telegram:1' }).getMyData();
  const noted = feedback as {
    rating: number;
    reason: string | null;
    comment: string | null;
    model: string;
  }[];
  assert.deepEqual(noted.map(({ rating, reason, comment }) => [rating, reason, comment]).sort(), [
    [-1, 'other', 'the x became a y'],
    [1, null, null],
  ]);
  assert.ok(
    noted.every(({ model }) => model === 'boardsharp-x4'),
    'ratings are read for each model',
  );
});

test('a survey goes out as polls, and its answers come as CSV', async (t) => {
  const { telegram } = await meet(t);
  const [anna, boris, administrator] = [telegram.person(1), telegram.person(2, 'ru'), telegram.person(9)];
  for (const person of [anna, boris]) person.sendText('/start');
  await eventually(() => telegram.messages(boris.chat, true).length > 0);
  administrator.sendText('/survey');
  await eventually(() => said(telegram, administrator.chat, /then a line for the question/));
  administrator.sendText('/survey Could you read it? || Вы смогли прочесть?\nYes || Да\nNo, "never" || Нет');
  const draft = await eventually(() => said(telegram, administrator.chat, /Draft/));
  assert.doesNotMatch(draft.text ?? '', /[<>]|&lt;/, 'its markup is no text');
  administrator.press(draft, 'Send');
  const poll = await eventually(() => telegram.messages(boris.chat, true).find((message) => message.poll));
  assert.deepEqual(
    poll.poll?.options.map(({ text }) => text),
    ['Да', 'Нет'],
  );
  boris.vote(poll, 1);
  await eventually(() => telegram.updates.pending() === 0);
  administrator.press(draft, 'csv');
  const file = await eventually(() =>
    telegram.messages(administrator.chat, true).find(({ document }) => document?.file_name === 'survey.csv'),
  );
  const [head, ...rows] = Buffer.from(telegram.fileOf(file).bytes).toString().trim().split('\r\n');
  assert.equal(head, 'answered_at,language,photos_before,answer,answer_en,answer_ru');
  assert.equal(rows.length, 1);
  assert.match(rows[0] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z,ru,0,2,"No, ""never""",Нет$/);
});

test('a volunteer reads crops, by plain words, in reply, or says that it cannot be read', async (t) => {
  const folder = temporaryFolder(t);
  await loadWords(folder, ['alpha', 'beta', 'gamma']);
  const { telegram } = await meet(t, { DATA_DIR: folder });
  const anna = telegram.person(1);
  anna.sendText('/read');
  const crops = () => telegram.messages(anna.chat, true).filter(({ photo: picture }) => picture);
  const first = await eventually(() => crops()[0]);
  assert.match(first.caption ?? '', /answered 0, 3 are left/);
  anna.sendText('alpha');
  const second = await eventually(() => crops()[1]);
  anna.sendText('beta', { replyTo: second });
  const third = await eventually(() => crops()[2]);
  assert.match(third.caption ?? '', /answered 2, 1 are left/);
  anna.press(third, "Can't read");
  await eventually(() => said(telegram, anna.chat, /nothing to read now/));
  anna.sendText('hello');
  await eventually(() => said(telegram, anna.chat, /Send me a photo/));
});

test('administrators get the pilot report as a file; nobody else does', async (t) => {
  const { telegram } = await meet(t);
  const [anna, administrator] = [telegram.person(1), telegram.person(9)];
  administrator.sendText('/report');
  const files = await eventually(() => {
    const came = telegram.messages(administrator.chat, true).filter(({ document }) => document);
    return came.length === 3 && came;
  });
  assert.deepEqual(
    files.map(({ document }) => document?.file_name),
    ['pilot-report.html', 'pilot-report.md', 'pilot-report.json'],
  );
  for (const file of files) {
    assert.match(Buffer.from(telegram.fileOf(file).bytes).toString(), /not enough data/);
  }
  administrator.sendText('/report 2026-01-31');
  await eventually(() => said(telegram, administrator.chat, /since 2026-01-31/));
  for (const day of ['2026-13-45', '2026-02-30']) {
    const before = telegram.messages(administrator.chat, true).length;
    administrator.sendText(`/report ${day}`);
    const [answer] = await eventually(() => {
      const came = telegram.messages(administrator.chat, true).slice(before);
      return came.length > 0 && came;
    });
    assert.match(answer?.text ?? '', /a day that exists/);
  }
  anna.sendText('/report');
  await eventually(() => said(telegram, anna.chat, /Write \/report in reply/));
});

test('consent is given and taken back in the settings, and is off at first', async (t) => {
  const { telegram, url } = await meet(t);
  const anna = telegram.person(1);
  const { getMe } = createUserClient({ url, user: 'telegram:1' });
  anna.sendText('/settings');
  const menu = await eventually(() => said(telegram, anna.chat, /My photos: not used for anything/));
  assert.equal((await getMe()).consentAt, null);
  anna.press(menu, 'consent:yes');
  await eventually(() => said(telegram, anna.chat, /My photos: may be used/));
  assert.ok((await getMe()).consentAt);
  anna.press(said(telegram, anna.chat, /My photos/) ?? menu, 'consent:no');
  await eventually(() => said(telegram, anna.chat, /My photos: not used for anything/));
  assert.equal((await getMe()).consentAt, null);
});
