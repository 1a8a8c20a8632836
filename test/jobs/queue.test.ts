/** The queue: one transaction for photo and job, turns for users, retries for our faults alone, nothing lost. */
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { AppError } from '../../src/errors.ts';
import { type Claim, openQueue, type Queue } from '../../src/jobs/queue.ts';
import { Secret } from '../../src/secret.ts';
import type { Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { findUpscale } from '../../src/storage/upscale-records.ts';
import { findUsage } from '../../src/storage/user-records.ts';
import { WORKER_LOCKS } from '../../src/storage/work-records.ts';
import { createPostgresDatabase, DATABASE_KINDS, onEachDatabase } from '../helpers/database.ts';
import { integer, seededRandom } from '../helpers/seed.ts';
import { createUser, newUpscale, openTestQueue, SILENT } from '../helpers/service.ts';

const WORKER = 7;
const FINISH = {
  input: { width: 64, height: 48, bytes: 1000, format: 'png' },
  output: { width: 128, height: 96, bytes: 5000, format: 'png' },
  reducedTo: null,
  quality: { verdict: 'accepted' },
  timings: { decode: 1 },
  model: 'some-model',
  scale: 2,
  workedMs: 20,
} as const;

async function claim(queue: Queue, worker = WORKER): Promise<Claim> {
  const claimed = await queue.claim(worker);
  assert.ok(claimed !== undefined, 'nothing could be claimed');
  return claimed;
}

/** Lets every waiting retry become due now. */
async function hurry(db: Database): Promise<void> {
  await db.script('update pgboss.job set start_after = now()');
}

onEachDatabase('the queue', (open) => {
  test('keeps an upscale from acceptance to the result', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const wanted = newUpscale(userId, { requestId: 'r-1' });
    const { upscale, created } = await queue.enqueue(wanted);
    assert.ok(created);
    assert.deepEqual(upscale, await findUpscale(db, wanted.id, userId));
    assert.equal(upscale.status, 'queued');
    assert.equal(await findUpscale(db, wanted.id, randomUUID()), undefined, 'it is nobody else’s');
    assert.deepEqual(await findUsage(db, userId), { photos: 1, bytes: 1000 });

    const claimed = await claim(queue);
    assert.equal(claimed.id, wanted.id);
    assert.equal(claimed.upscale.resumed, false);
    assert.equal(await queue.claim(WORKER), undefined);
    assert.ok(await queue.heartbeat(claimed));
    assert.ok(await queue.progress(claimed, { progress: 0.5, workedMs: 10 }));
    const half = await findUpscale(db, wanted.id);
    assert.equal(half?.status, 'processing');
    assert.equal(half?.progress, 0.5);
    assert.ok(await queue.finish(claimed, FINISH));
    const done = await findUpscale(db, wanted.id);
    assert.equal(done?.status, 'done');
    assert.deepEqual(done?.output, FINISH.output);
    assert.deepEqual(done?.quality, FINISH.quality);
    assert.ok(done?.startedAt && done.finishedAt && done.createdAt <= done.startedAt);
    assert.equal(await queue.finish(claimed, FINISH), false, 'none is done twice');
    assert.deepEqual(await queue.state(), { queued: 0, processing: 0, dead: 0, oldestSeconds: 0 });
  });

  test('gives one key one upscale, also when both come at once', async (t) => {
    const db = await open();
    const [queue, userId, other] = [await openTestQueue(t, db), await createUser(db), await createUser(db)];
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => queue.enqueue(newUpscale(userId, { idempotencyKey: 'k' }))),
    );
    assert.equal(new Set(answers.map(({ upscale }) => upscale.id)).size, 1);
    assert.equal(answers.filter(({ created }) => created).length, 1);
    assert.ok((await queue.enqueue(newUpscale(other, { idempotencyKey: 'k' }))).created);
    assert.equal((await queue.state()).queued, 2);
  });

  test('holds the limit of open photos, also when they come at once', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const sent = await Promise.allSettled(
      Array.from({ length: 6 }, () => queue.enqueue(newUpscale(userId), 4)),
    );
    const refused = sent.filter((one) => one.status === 'rejected');
    assert.deepEqual(
      refused.map(({ reason }) => reason.code),
      ['QUOTA_EXCEEDED', 'QUOTA_EXCEEDED'],
    );
    assert.equal((await queue.state()).queued, 4, 'a refused photo leaves neither row nor job');
  });

  test('lets users take turns', async (t) => {
    const db = await open();
    const queue = await openTestQueue(t, db);
    const [many, few, late] = [await createUser(db), await createUser(db), await createUser(db)];
    const send = async (userId: string, count: number) => {
      for (let i = 0; i < count; i++) await queue.enqueue(newUpscale(userId));
    };
    const work = async () => {
      const claimed = await claim(queue);
      return { userId: claimed.upscale.userId, end: () => queue.finish(claimed, FINISH) };
    };
    await send(many, 50);
    const first = await work();
    await send(few, 1);
    await first.end();
    const second = await work();
    assert.equal(second.userId, few, 'one photo waits for at most one of the fifty');
    await second.end();
    for (let i = 0; i < 20; i++) await (await work()).end();

    // Half way through, others come with as many: nobody is owed the past.
    const running = await work();
    await send(few, 20);
    await send(late, 1);
    await running.end();
    const order: string[] = [];
    for (let i = 0; i < 21; i++) {
      const next = await work();
      order.push(next.userId);
      await next.end();
    }
    assert.ok(order.slice(0, 2).includes(late));
    const turns = order.filter((user) => user !== late);
    for (let i = 2; i < turns.length; i += 2) {
      assert.notEqual(
        turns[i],
        turns[i + 1],
        `users alternate: ${turns.map((user) => (user === many ? 'm' : 'f')).join('')}`,
      );
    }
  });

  test('never lets a user who waits for the first photo be overtaken twice by the same other', async (t) => {
    const db = await open();
    const queue = await openTestQueue(t, db);
    const random = seededRandom(t);
    const users = await Promise.all(Array.from({ length: 4 }, () => createUser(db)));
    const workers = integer(random, 1, 3);
    const running: Claim[] = [];
    /** Users with one open photo: whose photos started since it came. */
    const waiting = new Map<string, { userId: string; seen: string[] }>();
    const open_ = new Map(users.map((user) => [user, 0]));
    for (let step = 0; step < 120; step++) {
      if (random() < 0.5) {
        const userId = users[Math.floor(random() * random() * users.length)] ?? '';
        const upscale = newUpscale(userId);
        if (open_.get(userId) === 0) waiting.set(upscale.id, { userId, seen: [] });
        await queue.enqueue(upscale);
        open_.set(userId, (open_.get(userId) ?? 0) + 1);
      } else if (running.length < workers) {
        const claimed = await queue.claim(WORKER);
        if (claimed === undefined) continue;
        running.push(claimed);
        waiting.delete(claimed.id);
        for (const { seen } of waiting.values()) {
          assert.ok(!seen.includes(claimed.upscale.userId), `overtaken twice at step ${step}`);
          seen.push(claimed.upscale.userId);
        }
      } else {
        const [ended] = running.splice(Math.floor(random() * running.length), 1);
        assert.ok(ended && (await queue.finish(ended, FINISH)));
        open_.set(ended.upscale.userId, (open_.get(ended.upscale.userId) ?? 0) - 1);
      }
    }
  });

  test('gives photos of one user to several workers at once, each to one', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    for (let i = 0; i < 6; i++) await queue.enqueue(newUpscale(userId));
    const claims = await Promise.all(Array.from({ length: 8 }, (_, worker) => queue.claim(worker + 1)));
    const ids = claims.flatMap((one) => one?.id ?? []);
    assert.equal(ids.length, 6);
    assert.equal(new Set(ids).size, 6);
  });

  test('tries again after faults of ours, later and later, and then gives up visibly', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const { id } = (await queue.enqueue(newUpscale(userId))).upscale;
    const fault = new AppError('ENGINE_FAILED', 'a test');
    for (let attempt = 0; attempt <= 4; attempt++) {
      const claimed = await claim(queue);
      assert.equal(claimed.upscale.faults, attempt);
      assert.ok(await queue.fail(claimed, fault, 10));
      if (attempt < 4) {
        assert.equal((await findUpscale(db, id))?.status, 'queued');
        assert.equal(await queue.claim(WORKER), undefined, 'not at once');
        await hurry(db);
      }
    }
    const failed = await findUpscale(db, id);
    assert.equal(failed?.status, 'failed');
    assert.equal(failed?.error?.code, 'ENGINE_FAILED');
    assert.equal((await queue.state()).dead, 1);
    const [dead] = await queue.deadJobs();
    assert.equal(dead?.upscaleId, id);
    assert.equal(dead?.error?.code, 'ENGINE_FAILED');

    assert.equal(await queue.revive(randomUUID()), false);
    assert.ok(await queue.revive(id), 'an administrator lets it be tried once more');
    assert.equal((await queue.state()).dead, 0);
    assert.equal(await queue.revive(id), false, 'once');
    const revived = await claim(queue);
    assert.deepEqual([revived.id, revived.upscale.faults], [id, 0]);
    assert.ok(await queue.finish(revived, FINISH));
    assert.equal((await findUpscale(db, id))?.error, null);
  });

  test('waits longer for a store that is away than for an engine that fails', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const { id } = (await queue.enqueue(newUpscale(userId))).upscale;
    for (let attempt = 0; attempt < 10; attempt++) {
      assert.ok(await queue.fail(await claim(queue), new AppError('STORAGE', 'a test'), 10));
      await hurry(db);
    }
    assert.equal((await findUpscale(db, id))?.status, 'queued');
    assert.ok(await queue.finish(await claim(queue), FINISH));
  });

  test('never tries a bad photo again', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const { id } = (await queue.enqueue(newUpscale(userId))).upscale;
    assert.ok(await queue.fail(await claim(queue), new AppError('IMAGE_BROKEN', 'a test'), 10));
    const failed = await findUpscale(db, id);
    assert.deepEqual([failed?.status, failed?.error?.code], ['failed', 'IMAGE_BROKEN']);
    await hurry(db);
    assert.equal(await queue.claim(WORKER), undefined);
    assert.equal((await queue.state()).dead, 0);
  });

  test('cancels what waits and what is worked on, once', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const running = (await queue.enqueue(newUpscale(userId))).upscale.id;
    const waiting = (await queue.enqueue(newUpscale(userId))).upscale.id;
    const claimed = await claim(queue);
    assert.ok(await queue.cancel(waiting));
    assert.ok(await queue.cancel(running));
    assert.equal(await queue.cancel(running), false);
    assert.equal((await findUpscale(db, running))?.status, 'cancelled');
    assert.equal(await queue.claim(WORKER), undefined);
    assert.equal(await queue.heartbeat(claimed), false);
    assert.equal(await queue.progress(claimed, { progress: 0.5, workedMs: 1 }), false);
    assert.equal(await queue.finish(claimed, FINISH), false);
    assert.equal(await queue.fail(claimed, new AppError('ENGINE_FAILED', 'late'), 1), false);
    assert.equal((await findUpscale(db, running))?.status, 'cancelled');
  });

  test('hands back what it cannot finish, for anybody to go on at once', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    await queue.enqueue(newUpscale(userId));
    const first = await claim(queue);
    assert.ok(await queue.handBack(first, 500));
    const second = await claim(queue, 8);
    assert.equal(second.id, first.id);
    assert.deepEqual(
      [second.upscale.resumed, second.upscale.workedMs, second.upscale.faults],
      [true, 500, 0],
    );
    assert.equal(await queue.finish(first, FINISH), false, 'the claim is lost');
    assert.equal(await queue.handBack(first, 500), false);
    assert.ok(await queue.finish(second, FINISH));
  });

  test('takes photos back from the dead alone, and gives up on one that kills', async (t) => {
    const db = await open();
    const [queue, userId] = [await openTestQueue(t, db), await createUser(db)];
    const [dead, alive] = [randomInt(1, 2 ** 30), randomInt(2 ** 30, 2 ** 31)];
    await db.holdLock(WORKER_LOCKS, alive);
    const { id } = (await queue.enqueue(newUpscale(userId))).upscale;
    await queue.enqueue(newUpscale(userId));
    let lost = await claim(queue, dead);
    assert.equal(lost.id, id);
    const kept = await claim(queue, alive);
    assert.deepEqual(
      await Promise.all([queue.recover(alive), queue.recover(alive)]).then((n) => n.sort()),
      [0, 1],
    );
    assert.equal(await queue.progress(lost, { progress: 0.1, workedMs: 1 }), false);

    lost = await claim(queue, dead);
    assert.equal(lost.upscale.faults, 0, 'a death is no failure of the photo');
    assert.ok(
      await queue.progress(lost, { progress: 0.2, workedMs: 1 }),
      'a finished tile forgives earlier deaths',
    );
    for (let death = 0; death < 8; death++) {
      assert.equal(await queue.recover(alive), 1);
      assert.equal((await claim(queue, dead)).id, id);
    }
    assert.equal(await queue.recover(alive), 1);
    const failed = await findUpscale(db, id);
    assert.deepEqual([failed?.status, failed?.error?.code], ['failed', 'ENGINE_CRASHED']);
    assert.equal((await queue.deadJobs())[0]?.upscaleId, id);
    assert.equal(await queue.recover(alive), 0);
    assert.ok(await queue.finish(kept, FINISH));
  });

  test('refuses a photo of nobody', async (t) => {
    const queue = await openTestQueue(t, await open());
    await assert.rejects(queue.enqueue(newUpscale(randomUUID())), { code: 'INTERNAL' });
    assert.equal((await queue.state()).queued, 0);
  });
});

test('on PostgreSQL, several roles may make the tables of a new database at once', async (t) => {
  if (!DATABASE_KINDS.some((kind) => kind === 'postgres')) return t.skip('TEST_DATABASE_URL is not set');
  const { url, remove } = await createPostgresDatabase();
  const databases: Database[] = [];
  t.after(async () => {
    await Promise.all(databases.map((db) => db.close()));
    await remove();
  });
  const roles = await Promise.all(
    [1, 2, 3].map(async () => {
      const db = await openDatabase({ dataDir: '', databaseUrl: new Secret(url) });
      databases.push(db);
      const queue = await openQueue({ db, log: SILENT });
      return { db, queue };
    }),
  );
  const [first, , last] = roles;
  assert.ok(first && last);
  const { id } = (await first.queue.enqueue(newUpscale(await createUser(first.db)))).upscale;
  assert.equal((await last.queue.claim(WORKER))?.id, id);
  for (const { queue } of roles) await queue.close();
});
