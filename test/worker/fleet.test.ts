/** Many workers are no more trouble to the database than a few, and a few are as quick as ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countWorkers, WORKER_LOCKS } from '../../src/storage/work-records.ts';
import { answers, lookEveryMs, recoverEveryMs } from '../../src/worker/fleet.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { seededRandom } from '../helpers/seed.ts';

test('up to eight workers all look at once for what they are told, and every second by themselves', (t) => {
  const random = seededRandom(t);
  for (let workers = 1; workers <= 8; workers++) {
    assert.deepEqual([lookEveryMs(workers), recoverEveryMs(workers)], [1000, 2000]);
    for (let call = 0; call < 100; call++) assert.ok(answers(workers, random()));
  }
});

test('a thousand look as often together as forty, and a dozen of them at most for one photo', (t) => {
  const random = seededRandom(t);
  for (const workers of [40, 200, 1000]) {
    assert.ok((1000 * workers) / lookEveryMs(workers) <= 40);
    assert.ok((1000 * workers) / recoverEveryMs(workers) <= 20);
    const calls = Array.from(
      { length: 300 },
      () => Array.from({ length: workers }, () => answers(workers, random())).filter(Boolean).length,
    );
    const mean = calls.reduce((sum, hearers) => sum + hearers, 0) / calls.length;
    assert.ok(mean > 7 && mean < 9, `${mean} of ${workers} look for one photo`);
    assert.ok(calls.filter((hearers) => hearers === 0).length < 5, 'hardly ever nobody does');
  }
});

onEachDatabase('the fleet', (open) => {
  test('is counted by its locks', async () => {
    const db = await open();
    const before = await countWorkers(db);
    for (const number of [11, 12, 13]) await db.holdLock(WORKER_LOCKS, number);
    await db.holdLock(WORKER_LOCKS + 1, 14);
    assert.equal((await countWorkers(db)) - before, 3);
  });
});
