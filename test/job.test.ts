/** The states of an upscale: what may follow what, and that the end is the end. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { isFinal, mayBecome, photoKey, resultKey, STATUS, statesBefore, tilePrefix } from '../src/job.ts';
import { checkKey } from '../src/storage/blobs.ts';

const ALL = Object.values(STATUS);

test('nothing follows an end, and every state can be reached from the first', () => {
  const ends = ALL.filter(isFinal);
  assert.deepEqual(ends, ['done', 'failed', 'cancelled']);
  for (const end of ends) for (const next of ALL) assert.ok(!mayBecome(end, next), `${end} → ${next}`);
  for (const status of ALL) assert.ok(status === 'queued' || statesBefore(status).length > 0, status);
});

test('only what is worked on can be done, and both open states can fail or be cancelled', () => {
  assert.deepEqual(statesBefore('done'), ['processing']);
  for (const end of ['failed', 'cancelled'] as const)
    assert.deepEqual(statesBefore(end), ['queued', 'processing']);
});

test('keys are made of the id', () => {
  const id = randomUUID();
  for (const key of [photoKey(id), resultKey(id), `${tilePrefix(id)}0123abc-7`]) {
    assert.equal(checkKey(key), key);
    assert.ok(key.includes(id));
  }
});
