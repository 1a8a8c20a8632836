/** How long photos wait: their place, and a time that is never made up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Upscale } from '../../src/job.ts';
import { estimateWaiting } from '../../src/jobs/waiting.ts';
import { findUpscale } from '../../src/storage/upscale-records.ts';
import { WORKER_LOCKS } from '../../src/storage/work-records.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { createUser, newUpscale, openTestQueue } from '../helpers/service.ts';

const WORKER = 1;

onEachDatabase('the queue', (open) => {
  test('says how long a photo waits, from what was measured', async (t) => {
    const db = await open();
    const queue = await openTestQueue(t, db);
    const userId = await createUser(db);
    const first = (await queue.enqueue(newUpscale(userId))).upscale;
    assert.deepEqual(await estimateWaiting(db, first), { position: 1, remainingSeconds: null });
    const claimed = await queue.claim(WORKER);
    assert.ok(claimed);
    const { input } = first;
    const finish = {
      input,
      output: input,
      reducedTo: null,
      quality: {},
      timings: {},
      model: 'm',
      scale: 2,
    } as const;
    await queue.finish(claimed, { ...finish, workedMs: 10_000 });

    const running = (await queue.enqueue(newUpscale(userId))).upscale;
    const waiting = (await queue.enqueue(newUpscale(userId))).upscale;
    const last = (await queue.enqueue(newUpscale(userId))).upscale;
    const look = async (id: string) => estimateWaiting(db, (await findUpscale(db, id)) as Upscale);
    assert.deepEqual(await look(last.id), { position: 3, remainingSeconds: null }, 'nobody works');
    await db.holdLock(WORKER_LOCKS, WORKER);
    assert.deepEqual(await look(last.id), { position: 3, remainingSeconds: 30 }, 'somebody is about to');
    const now = await queue.claim(WORKER);
    assert.equal(now?.id, running.id);
    if (now) await queue.progress(now, { progress: 0.5, workedMs: 5000 });
    assert.deepEqual(await look(running.id), { position: null, remainingSeconds: 5 });
    assert.deepEqual(await look(waiting.id), { position: 1, remainingSeconds: 15 });
    assert.deepEqual(await look(last.id), { position: 2, remainingSeconds: 25 });
    assert.deepEqual(await look(first.id), { position: null, remainingSeconds: null });
  });
});
