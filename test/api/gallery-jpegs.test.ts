/** The pictures of a room's page: whatever many phones ask for at once, one is made at a time, and once for all. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createPageJpegs } from '../../src/api/gallery-jpegs.ts';
import { readConfig } from '../../src/config.ts';
import { AppError } from '../../src/errors.ts';
import { photoKey, type Upscale } from '../../src/job.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { photo } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';

/** How many originals are kept. */
const MOST = 12;

test('whole photos are made one after the other, and kept until newer ones need their place', async (t) => {
  const blobs = await openDiskBlobs(temporaryFolder(t));
  const upscales = Array.from(
    { length: MOST + 1 },
    () => ({ id: randomUUID(), input: { format: 'jpeg' } }) as unknown as Upscale,
  );
  const file = await photo();
  for (const { id } of upscales) await blobs.put(photoKey(id), file);
  const [first, newest, rest] = [upscales[0], upscales[MOST], upscales.slice(0, MOST)];
  assert.ok(first && newest);

  // Making one begins with reading its file, and ends when it is answered.
  let [begun, ended, most] = [0, 0, 0];
  const { original } = createPageJpegs(
    {
      ...blobs,
      read(key) {
        begun++;
        most = Math.max(most, begun - ended);
        return blobs.read(key);
      },
    },
    readConfig({}),
  );
  const ask = async (upscale: Upscale) => {
    const bytes = original(upscale);
    const count = () => void ended++;
    await bytes.then(count, count);
    return bytes;
  };
  const gone = { ...first, id: randomUUID() };
  const [lost] = await Promise.allSettled([ask(gone), ...rest.slice(0, -1).map(ask)]);
  assert.ok(lost?.status === 'rejected' && lost.reason instanceof AppError);
  assert.equal(lost.reason.code, 'BLOB_MISSING', 'and the others did not wait for it in vain');
  for (const upscale of rest.slice(-1)) {
    assert.deepEqual([...(await ask(upscale)).subarray(0, 3)], [0xff, 0xd8, 0xff], 'a JPEG');
  }
  assert.equal(begun, MOST + 1);
  assert.equal(most, 1, 'one at a time');

  await Promise.all([...rest, ...rest].map(original));
  assert.equal(begun, MOST + 1, 'all of them are kept, however often they are asked for');
  await original(newest);
  await Promise.all(rest.slice(1).map(original));
  assert.equal(begun, MOST + 2, 'a new one takes the place of the oldest alone');
  await original(first);
  assert.equal(begun, MOST + 3, 'which is made anew');
});
