/** The reading trial on a real database, with real crops: who is shown what, and what their answers come to. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decode } from '../../src/engine/image-codec.ts';
import {
  answerQuestion,
  type LoadedBoard,
  loadTrial,
  nextQuestion,
  readCrop,
  removeTrial,
  trialResults,
} from '../../src/pilot/reading-trial.ts';
import { readTrialFolder } from '../../src/pilot/trial-folder.ts';
import type { Blobs } from '../../src/storage/blobs.ts';
import type { Database } from '../../src/storage/database.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { listTrials, setTrialClosed } from '../../src/storage/trial-records.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { openTestEngine, png, temporaryFolder } from '../helpers/engine.ts';
import { drawBoard, meanDifference } from '../helpers/pictures.ts';
import { createUser } from '../helpers/service.ts';

const WORDS = ['матрица', 'вектор', 'field', 'сумма'];

async function board(words = WORDS): Promise<LoadedBoard> {
  const texts = words.map((text, at) => ({
    ...{ text, kind: 'word' as const, language: /[а-я]/.test(text) ? 'ru' : 'en', letterHeight: 6 },
    box: { left: 5 + 20 * (at % 4), top: 10, right: 20 + 20 * (at % 4), bottom: 30 },
  }));
  return { photo: 'one.png', boardKind: 'white', texts, bytes: await png(drawBoard(96, 48)) };
}

async function* boards(...list: LoadedBoard[]): AsyncGenerator<LoadedBoard> {
  yield* list;
}

async function load(
  t: TestContext,
  db: Database,
  ...list: LoadedBoard[]
): Promise<{ id: string; blobs: Blobs }> {
  const { upscaler } = await openTestEngine(t);
  const blobs = await openDiskBlobs(temporaryFolder(t));
  const { id } = await loadTrial({ db, blobs, upscaler }, 'pilot', boards(...list));
  t.after(() => removeTrial({ db, blobs }, id));
  return { id, blobs };
}

async function keysOf(blobs: Blobs): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of blobs.list('trials/')) keys.push(key);
  return keys;
}

onEachDatabase('the reading trial', (open) => {
  test('shows each person each word once, in one form, and both forms equally often', async (t) => {
    const db = await open();
    const { blobs } = await load(t, db, await board());
    const forms = new Map<string, number>();
    for (let person = 0; person < 6; person++) {
      const userId = await createUser(db);
      const seen: string[] = [];
      for (;;) {
        const question = await nextQuestion(db, userId);
        if (question === undefined) break;
        assert.deepEqual(await nextQuestion(db, userId), question, 'who comes back is asked the same');
        assert.deepEqual([question.answered, question.left], [seen.length, WORDS.length - seen.length]);
        await readCrop({ db, blobs }, question.itemId, userId);
        await answerQuestion(db, { itemId: question.itemId, userId, answer: null });
        seen.push(question.itemId);
      }
      assert.equal(new Set(seen).size, WORDS.length);
    }
    for (const { form } of await db.query<{ form: string }>('select form from trial_readings')) {
      forms.set(form, (forms.get(form) ?? 0) + 1);
    }
    assert.deepEqual([...forms].sort(), [
      ['original', 12],
      ['result', 12],
    ]);
  });

  test('two people meet the words in different orders', async (t) => {
    const db = await open();
    await load(t, db, await board([...'абвгдежз'].map((letter) => letter.repeat(4))));
    const orders = new Set<string>();
    for (let person = 0; person < 4; person++) {
      const userId = await createUser(db);
      const order: string[] = [];
      for (
        let question = await nextQuestion(db, userId);
        question;
        question = await nextQuestion(db, userId)
      ) {
        order.push(question.itemId);
        await answerQuestion(db, { itemId: question.itemId, userId, answer: null });
      }
      orders.add(order.join());
    }
    assert.ok(orders.size > 1);
  });

  test('a word that stands on two boards is shown to a person once', async (t) => {
    const db = await open();
    await load(t, db, await board(['вектор']), { ...(await board(['Вектор'])), photo: 'two.png' });
    const userId = await createUser(db);
    const question = await nextQuestion(db, userId);
    await answerQuestion(db, { itemId: question?.itemId ?? '', userId, answer: 'вектор' });
    assert.equal(await nextQuestion(db, userId), undefined);
  });

  test('a word that stands in two trials is shown to a person once, in one form', async (t) => {
    const db = await open();
    await load(t, db, await board(['вектор']));
    await load(t, db, await board(['ВЕКТОР']));
    const userId = await createUser(db);
    const question = await nextQuestion(db, userId);
    await answerQuestion(db, { itemId: question?.itemId ?? '', userId, answer: 'вектор' });
    assert.equal(await nextQuestion(db, userId), undefined);
  });

  test('scores the first answer and counts nobody’s second', async (t) => {
    const db = await open();
    const { id } = await load(t, db, await board(['вектор']));
    const people = [await createUser(db), await createUser(db)];
    for (const userId of people) {
      const { itemId } = (await nextQuestion(db, userId)) ?? { itemId: '' };
      const [shown] = await db.query<{ form: string }>(
        'select form from trial_readings where item_id = $1 and user_id = $2',
        [itemId, userId],
      );
      // What cannot be read in the photo is read in the result.
      await answerQuestion(db, { itemId, userId, answer: shown?.form === 'result' ? ' Вектор ' : null });
      await answerQuestion(db, { itemId, userId, answer: 'вектор' });
    }
    const { all } = await trialResults(db, id);
    assert.deepEqual([all.items, all.readings], [1, 2]);
    assert.deepEqual([all.original?.value, all.result?.value, all.recovered?.value], [0, 1, 1]);
  });

  test('shows nobody what they were not asked, and no form but theirs', async (t) => {
    const db = await open();
    const { blobs } = await load(t, db, await board());
    const [one, other] = [await createUser(db), await createUser(db)];
    const { itemId } = (await nextQuestion(db, one)) ?? { itemId: '' };
    const notTheirs = { code: 'TRIAL_ITEM_NOT_FOUND' };
    await assert.rejects(readCrop({ db, blobs }, itemId, other), notTheirs);
    await assert.rejects(readCrop({ db, blobs }, randomUUID(), one), notTheirs);
    await assert.rejects(answerQuestion(db, { itemId, userId: other, answer: 'x' }), notTheirs);
  });

  test('the two forms are of one size and of the same place', async (t) => {
    const db = await open();
    const { blobs } = await load(t, db, await board());
    const keys = await keysOf(blobs);
    assert.equal(keys.length, 2 * WORDS.length);
    const pictures = new Map<string, [string, Uint8Array]>();
    for (const key of keys) pictures.set(key, [key, await blobs.read(key)]);
    for (const key of keys.filter((name) => name.endsWith('original'))) {
      const [original, result] = await Promise.all(
        [key, key.replace('original', 'result')].map(async (name) =>
          decode(pictures.get(name)?.[1] ?? new Uint8Array(), 'png', { maxPixels: 1e6 }),
        ),
      );
      assert.ok(original && result);
      assert.deepEqual([original.width, original.height], [result.width, result.height]);
      assert.ok(meanDifference(original, result) < 20);
    }
  });

  test('asks nothing of a closed trial, and removes it whole', async (t) => {
    const db = await open();
    const { id, blobs } = await load(t, db, await board());
    const userId = await createUser(db);
    assert.ok(await nextQuestion(db, userId));
    await setTrialClosed(db, id, true);
    assert.equal(await nextQuestion(db, userId), undefined);
    await removeTrial({ db, blobs }, id);
    assert.deepEqual(await listTrials(db), []);
    assert.deepEqual(await keysOf(blobs), []);
    assert.deepEqual(await db.query('select * from trial_readings'), []);
  });

  test('keeps nothing of a folder that is wrong', async (t) => {
    const db = await open();
    const { upscaler } = await openTestEngine(t);
    const blobs = await openDiskBlobs(temporaryFolder(t));
    const right = await board();
    const [text] = right.texts;
    assert.ok(text);
    const outside = { ...right, texts: [{ ...text, box: { left: 90, top: 0, right: 200, bottom: 20 } }] };
    await assert.rejects(loadTrial({ db, blobs, upscaler }, 'x', boards(right, outside)), {
      code: 'TRIAL_FOLDER',
      detail: /матрица.*one\.png/,
    });
    assert.deepEqual([await keysOf(blobs), await listTrials(db)], [[], []]);
  });
});

test('a folder is read, and its mistakes are named', async (t) => {
  const folder = temporaryFolder(t);
  const write = (content: unknown): void =>
    writeFileSync(
      join(folder, 'trial.json'),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  await assert.rejects(readTrialFolder(folder), { code: 'TRIAL_FOLDER' });
  mkdirSync(join(folder, 'sub'));
  const item = { text: 'x²', formula: true, box: [1, 2, 30, 40] };
  write({ boards: [{ photo: 'a.jpg', kind: 'green', items: [item] }] });
  assert.deepEqual(await readTrialFolder(folder), [
    {
      photo: 'a.jpg',
      boardKind: 'green',
      texts: [
        {
          ...{ text: 'x²', kind: 'formula', language: null, letterHeight: null },
          box: { left: 1, top: 2, right: 30, bottom: 40 },
        },
      ],
    },
  ]);
  const wrong: [unknown, RegExp][] = [
    ['{', /cannot be read/],
    [{ boards: [] }, /names no boards/],
    [{ boards: [{ photo: '../a.jpg', kind: 'green', items: [] }] }, /boards\[0\]\.photo/],
    [{ boards: [{ photo: 'a.jpg', items: [] }] }, /boards\[0\]\.kind/],
    [
      { boards: [{ photo: 'a.jpg', kind: 'green', items: [{ ...item, box: [5, 5, 5, 9] }] }] },
      /items\[0\]\.box/,
    ],
    [{ boards: [{ photo: 'a.jpg', kind: 'green', items: [{ ...item, text: ' ' }] }] }, /items\[0\]\.text/],
    [{ boards: [{ photo: 'a.jpg', kind: 'green', items: [{ ...item, letterHeight: 0 }] }] }, /letterHeight/],
  ];
  for (const [content, detail] of wrong) {
    write(content);
    await assert.rejects(readTrialFolder(folder), { code: 'TRIAL_FOLDER', detail });
  }
});
