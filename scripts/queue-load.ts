/** Puts photos into the queue at a steady rate on PostgreSQL, with a network that does nothing, and says how late they are claimed. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.ts';
import { openQueue } from '../src/jobs/queue.ts';
import type { RunUpscale } from '../src/jobs/run-upscale.ts';
import { openConfiguredLog } from '../src/open-engine.ts';
import { openDatabase } from '../src/storage/open-database.ts';
import { findOrCreateUser } from '../src/storage/user-records.ts';
import { startWorker } from '../src/worker/worker.ts';
import { createPostgresDatabase } from '../test/helpers/database.ts';
import { cpuSecondsOfPostgres } from './cpu-time.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    workers: { type: 'string', default: '4' },
    concurrency: { type: 'string', default: '8' },
    users: { type: 'string', default: '100' },
    /** Before the photos: workers that wait. */
    'idle-seconds': { type: 'string', default: '5' },
  },
});
const [rate, seconds, workers, concurrency, users] = [
  values.rate,
  values.seconds,
  values.workers,
  values.concurrency,
  values.users,
].map(Number) as [number, number, number, number, number];

const database = await createPostgresDatabase();
const config = readConfig({ DATABASE_URL: database.url, LOG_LEVEL: 'warn' });
const log = openConfiguredLog(config);
const opened = new AsyncDisposableStack();
opened.defer(() => database.remove());
try {
  /** As a process of its own has it: a pool and a queue. */
  const openPart = async (maintain: boolean) => {
    const db = opened.adopt(await openDatabase(config), (one) => one.close());
    return { db, queue: opened.adopt(await openQueue({ db, log, maintain }), (one) => one.close()) };
  };
  const { db, queue } = await openPart(false);
  const userIds: string[] = [];
  for (let at = 0; at < users; at++) userIds.push((await findOrCreateUser(db, { telegramId: 1 + at })).id);

  for (let at = 0; at < workers; at++) {
    const part = await openPart(at === 0);
    const run: RunUpscale = async (claim) => {
      const { input, scale, model, workedMs } = claim.upscale;
      const finish = {
        input,
        scale,
        model,
        workedMs,
        output: null,
        reducedTo: null,
        quality: null,
        timings: null,
      };
      await part.queue.finish(claim, finish);
      return 'done';
    };
    const worker = await startWorker({ ...part, run, concurrency, log });
    opened.adopt(worker, (one) => one.stop());
  }

  // What waiting alone costs: as many workers as there are look for work, and hear of it.
  const idleMs = 1000 * Number(values['idle-seconds']);
  const idleBefore = await cpuSecondsOfPostgres(db);
  await pause(idleMs);
  const idleCores = (1000 * ((await cpuSecondsOfPostgres(db)) - idleBefore)) / idleMs;
  const [{ connections = 0 } = {}] = await db.query<{ connections?: number }>(
    `select count(*)::int as connections from pg_stat_activity where application_name = 'boardsharp'`,
  );
  console.log(
    `${workers} workers that wait: ${connections} connections, PostgreSQL uses ${idleCores.toFixed(2)} cores, ` +
      `${((1000 * idleCores) / workers).toFixed(1)} ms a second for each`,
  );

  const busyBefore = await cpuSecondsOfPostgres(db);
  const startedAt = performance.now();
  const sending = new Set<Promise<unknown>>();
  const total = rate * seconds;
  for (let sent = 0; sent < total; sent++) {
    const dueMs = (1000 * sent) / rate - (performance.now() - startedAt);
    if (dueMs > 1) await pause(dueMs);
    const input = { width: 400, height: 300, bytes: 30_000, format: 'jpeg' };
    const order = { scale: null, look: 'natural', model: null, format: 'jpeg', input } as const;
    const photo = {
      id: randomUUID(),
      userId: userIds[sent % users] as string,
      requestId: null,
      idempotencyKey: null,
    };
    const work = queue.enqueue({ ...photo, ...order }).finally(() => sending.delete(work));
    sending.add(work);
  }
  await Promise.all(sending);
  const acceptedMs = performance.now() - startedAt;
  for (;;) {
    const { queued, processing } = await queue.state();
    if (queued + processing === 0) break;
    await pause(50);
  }
  const finishedMs = performance.now() - startedAt;
  const busySeconds = (await cpuSecondsOfPostgres(db)) - busyBefore;
  const [row] = await db.query<Record<string, number>>(
    `select count(*)::int as done,
       1000 * percentile_cont(0.5) within group (order by extract(epoch from started_at - created_at)) as p50,
       1000 * percentile_cont(0.99) within group (order by extract(epoch from started_at - created_at)) as p99,
       1000 * max(extract(epoch from started_at - created_at)) as most
     from upscales where status = 'done'`,
  );
  const { done = 0, p50 = 0, p99 = 0, most = 0 } = row ?? {};
  console.log(
    `${done} of ${total} done; accepted at ${((1000 * total) / acceptedMs).toFixed(0)} a second, finished at ` +
      `${((1000 * total) / finishedMs).toFixed(0)} a second; claimed after: median ${Number(p50).toFixed(1)} ms, ` +
      `p99 ${Number(p99).toFixed(1)} ms, most ${Number(most).toFixed(0)} ms; PostgreSQL: ${((1000 * busySeconds) / total).toFixed(1)} ms of CPU a photo`,
  );
  process.exitCode = Number(done) === total ? 0 : 1;
} finally {
  await opened.disposeAsync();
}
