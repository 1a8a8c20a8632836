/** What the bot says, and what its buttons carry. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decodePress, encodePress, VERBS } from '../../src/bot/callback-data.ts';
import { captionOf, nameFor } from '../../src/bot/send.ts';
import { languageFor, messageIds, openTexts, TOLD_ERRORS, tellError } from '../../src/bot/texts.ts';
import type { LeasedItem } from '../../src/client/telegram-client.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';

const SAY = openTexts();
/** Enough for every message. */
const VALUES = Object.fromEntries(
  [
    ...[
      'hours',
      'position',
      'seconds',
      'percent',
      'ended',
      'total',
      'count',
      'days',
      'users',
      'new',
      'active',
    ],
    ...[
      'done',
      'failed',
      'cancelled',
      'open',
      'positive',
      'negative',
      'queued',
      'processing',
      'dead',
      'waiting',
    ],
    ...['sent', 'gone', 'megabytes', 'pictures', 'answered', 'left'],
  ].map((name) => [name, 2]),
);
const WORDS = Object.fromEntries(
  [
    ...[
      'from',
      'to',
      'scale',
      'look',
      'sendAs',
      'language',
      'reason',
      'failures',
      'models',
      'what',
      'oldest',
      'state',
    ],
    ...['wait50', 'wait95', 'total50', 'total95', 'title', 'name', 'link', 'user'],
    ...['consent', 'told', 'question', 'choices', 'since'],
  ].map((name) => [name, 'word']),
);

test('both languages have the same messages, and each can be said', () => {
  assert.deepEqual(messageIds('ru').sort(), messageIds('en').sort());
  for (const language of ['en', 'ru'] as const) {
    for (const id of messageIds(language)) {
      const text = SAY[language](id, { ...VALUES, ...WORDS });
      assert.ok(text.length > 0 && !/[{}]/.test(text), `${language} ${id}: ${text}`);
      assert.ok(text.length <= 4096);
    }
  }
});

test('plural forms are right', () => {
  const hours = (count: number): string =>
    /через (\d+ \S+?)[,.]/.exec(SAY.ru('start', { hours: count }))?.[1] ?? '';
  assert.deepEqual([1, 2, 5, 11, 21, 72].map(hours), [
    '1 час',
    '2 часа',
    '5 часов',
    '11 часов',
    '21 час',
    '72 часа',
  ]);
});

test('descriptions keep to Telegram’s limits', () => {
  for (const say of Object.values(SAY)) {
    assert.ok(say('description').length <= 512);
    assert.ok(say('short-description').length <= 120);
  }
});

test('every error a user can meet has a sentence with a next step', () => {
  for (const say of Object.values(SAY)) {
    const other = tellError(say, 'INTERNAL', 20);
    for (const code of TOLD_ERRORS) {
      assert.ok(Object.hasOwn(ERROR_CATALOGUE, code), `${code} is not in the catalogue`);
      const text = tellError(say, code, 20);
      assert.notEqual(text, other);
      assert.ok(text.split(/[.!?]\s/).length >= 2, `one sentence is no next step: ${text}`);
    }
  }
});

test('values of users cannot break a message', () => {
  assert.match(SAY.en('banned', { reason: '<b>&' }), /&lt;b&gt;&amp;/);
});

test('the language follows the chat program until somebody chooses', () => {
  assert.equal(languageFor('ru', null), 'ru');
  assert.equal(languageFor('de', null), 'en');
  assert.equal(languageFor(undefined, null), 'en');
  assert.equal(languageFor('de', 'ru'), 'ru');
});

test('a button carries its verb and its subject in 64 bytes, and nothing of an older version', () => {
  for (const verb of VERBS) {
    for (const subject of [randomUUID(), 'scale=auto', '']) {
      const data = encodePress({ verb, subject });
      assert.ok(Buffer.byteLength(data) <= 64);
      assert.deepEqual(decodePress(data), { verb, subject });
    }
  }
  assert.equal(decodePress('0:x2:abc'), undefined);
  assert.equal(decodePress('1:no-such-verb:abc'), undefined);
  assert.equal(decodePress('anything'), undefined);
  assert.throws(() => encodePress({ verb: 'set', subject: 'я'.repeat(40) }), RangeError);
});

test('names of files are what Telegram can read', () => {
  const item = (fileName: string | null): LeasedItem => ({
    ...{
      messageId: 5,
      fileName,
      errorCode: null,
      sentMessageId: null,
      upscale: { scale: 2 } as never,
      isLeftBehind: false,
    },
  });
  assert.equal(nameFor(item('Доска.heic'), 'jpg'), 'Доска_x2.jpg');
  assert.equal(nameFor(item('a;b"c\r\n/d.png'), 'png'), 'a_b_c___d_x2.png');
  assert.equal(nameFor(item(null), 'jpg'), 'board-5_x2.jpg');
  assert.ok(nameFor(item(`${'x'.repeat(300)}.jpg`), 'jpg').length < 80);
});

test('who gets less than the whole result is told so', () => {
  const input = { width: 2560, height: 1920 };
  const upscale = { input, output: { width: 10_240, height: 7680 }, quality: null } as never;
  const tell = (kind: 'document' | 'photo', isWhole: boolean) =>
    captionOf(SAY.en, { upscale }, { kind, isWhole });
  assert.equal(tell('document', true), '2560×1920 → 10240×7680');
  assert.match(tell('document', false), /50 MB/);
  assert.match(tell('photo', false), /as a file it keeps every detail/);
});

test('what is no HTML is not escaped, what is HTML is', () => {
  const title = 'Sets & <maps>';
  assert.equal(SAY.en.plain('room-picture', { title }), 'Room Sets & <maps>');
  assert.match(SAY.en('room-members-of', { title }), /Sets &amp; &lt;maps&gt;/);
});
