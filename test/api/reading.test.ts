/** The page of the reading trial over HTTP: whoever holds its code reads, in one form each, and sees nothing of anybody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUserClient } from '../../src/client/telegram-client.ts';
import { Secret } from '../../src/secret.ts';
import { openTestService } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { loadWords } from '../helpers/trial.ts';

interface Question {
  readonly itemId: string;
  readonly answered: number;
  readonly left: number;
}

const KEY = 'a-key-that-volunteers-do-not-have';
const [ANNA, BORIS] = ['anna'.padEnd(22, 'a'), 'boris'.padEnd(22, 'b')];

test('the code of a trial opens it to volunteers without a key, each with their own form of a word', async (t) => {
  const folder = temporaryFolder(t);
  const code = await loadWords(folder, ['alpha', 'beta']);
  const closed = await loadWords(folder, ['gamma'], { isClosed: true });
  assert.match(code, /^[\w-]{22}$/);
  const settings = { DATA_DIR: folder, API_KEYS: KEY, ADMIN_IDS: '9' };
  const { url } = await openTestService(t, settings, { api: true, worker: false });
  const ask = (path: string, reader?: string, answer?: unknown) =>
    fetch(`${url}/v1/reading/${path}`, {
      headers: {
        ...(reader === undefined ? {} : { 'Boardsharp-Reader': reader }),
        ...(answer === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(answer === undefined ? {} : { method: 'POST', body: JSON.stringify({ answer }) }),
    });
  const next = async (reader: string): Promise<Question | null> => {
    const response = await ask(`${code}/next`, reader);
    assert.equal(response.status, 200);
    return ((await response.json()) as { question: Question | null }).question;
  };

  const first = await next(ANNA);
  assert.ok(first);
  assert.deepEqual([first.answered, first.left], [0, 2]);
  assert.deepEqual(await next(ANNA), first, 'who comes back is asked the same');
  const theirs = await next(BORIS);
  const crop = await ask(`${code}/items/${first.itemId}/crop`, ANNA);
  assert.equal(crop.headers.get('content-type'), 'image/png');
  assert.match(crop.headers.get('cache-control') ?? '', /no-store/);
  await crop.arrayBuffer();

  // What nobody may: another's word, a wrong code, no reader, what is no reader, a closed trial's words.
  const unseen = [first.itemId, theirs?.itemId].find((id) => id !== theirs?.itemId) ?? '';
  for (const [what, response, status] of [
    ['another’s crop', await ask(`${code}/items/${unseen || first.itemId}/crop`, 'c'.repeat(22)), 404],
    ['another’s answer', await ask(`${code}/items/${first.itemId}/reading`, 'c'.repeat(22), 'alpha'), 404],
    ['a wrong code', await ask(`${'x'.repeat(22)}/next`, ANNA), 404],
    ['a word by another trial’s code', await ask(`${closed}/items/${first.itemId}/crop`, ANNA), 404],
    ['no reader', await ask(`${code}/next`), 400],
    ['what is no reader', await ask(`${code}/next`, "' or 1=1"), 400],
    ['the sign NUL', await ask(`${code}/items/${first.itemId}/reading`, ANNA, '\0'), 400],
    ['an empty answer', await ask(`${code}/items/${first.itemId}/reading`, ANNA, ' '), 400],
    ['no id', await ask(`${code}/items/none/crop`, ANNA), 404],
  ] as const) {
    assert.equal(response.status, status, what);
  }
  assert.deepEqual(await (await ask(`${closed}/next`, ANNA)).json(), { question: null });

  assert.equal((await ask(`${code}/items/${first.itemId}/reading`, ANNA, 'alpha')).status, 204);
  const second = await next(ANNA);
  assert.ok(second && second.itemId !== first.itemId);
  assert.equal((await ask(`${code}/items/${second.itemId}/reading`, ANNA, null)).status, 204);
  assert.equal(await next(ANNA), null, 'nothing is left');
  const tries = await Promise.all(Array.from({ length: 80 }, (_, at) => ask(`wrong${at}/next`, ANNA)));
  assert.ok(
    tries.some(({ status }) => status === 429),
    'trying codes is stopped',
  );
  assert.equal(await next(ANNA), null, 'who has the code is not in their way');

  const admin = createUserClient({ url, key: new Secret(KEY), user: 'telegram:9' });
  await admin.getMe();
  const { users } = await admin.getStatistics(1);
  assert.deepEqual([users.all, users.new], [1, 1], 'volunteers of the page have not used the service');
});

test('one address reads as much as a hall does, and no more', async (t) => {
  const folder = temporaryFolder(t);
  const code = await loadWords(folder, ['alpha']);
  const { url } = await openTestService(t, { DATA_DIR: folder }, { api: true, worker: false });
  const ask = async (by = code) => {
    const response = await fetch(`${url}/v1/reading/${by}/items/none/crop`, {
      headers: { 'Boardsharp-Reader': ANNA },
    });
    await response.arrayBuffer();
    return response.status;
  };
  const statuses: number[] = [];
  const askers = Array.from({ length: 10 }, async () => {
    while (statuses.length < 4000 && statuses.at(-1) !== 429) statuses.push(await ask());
  });
  await Promise.all(askers);
  const answered = statuses.filter((status) => status === 404).length;
  assert.ok(answered >= 1800, `${answered} requests`);
  assert.ok(statuses.includes(429), 'the limit is reached');
  assert.equal(await ask('x'.repeat(22)), 404, 'wrong codes are counted for themselves');
});
