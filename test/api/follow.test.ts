/** Following an upscale: every step up to its end, and the truth when it is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow } from '../../src/api/follow.ts';
import { openWatch } from '../../src/jobs/watch.ts';
import { notifyUpscale } from '../../src/storage/notifications.ts';
import { findUpscale } from '../../src/storage/upscale-records.ts';
import { deleteUser } from '../../src/storage/user-records.ts';
import { collect } from '../helpers/api.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { createUser, newUpscale, openTestQueue } from '../helpers/service.ts';

onEachDatabase('whoever follows an upscale', (open) => {
  test('is told when it is gone with its user, and not how it stood before', async (t) => {
    const db = await open();
    const [queue, watch, userId] = [await openTestQueue(t, db), await openWatch(db), await createUser(db)];
    t.after(() => watch.close());
    const { id } = (await queue.enqueue(newUpscale(userId))).upscale;
    const states = follow(watch, id, () => findUpscale(db, id), AbortSignal.timeout(60_000));
    const first = await states.next();
    assert.equal(first.value?.status, 'queued');
    const rest = assert.rejects(collect(states), { code: 'UPSCALE_NOT_FOUND' });
    await deleteUser(db, userId);
    await notifyUpscale(db, id, 'cancelled');
    await rest;
  });
});
