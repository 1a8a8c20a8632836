/** Throughput of a worker, waiting times against load, what breaks first, and whether the model of the queue says the same: `npm run load:report -- --help`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createClient, type UpscaleState } from '../src/client/client.ts';
import { openPostgres } from '../src/storage/postgres-database.ts';
import { photo as drawPhoto } from '../test/helpers/api.ts';
import { createPostgresDatabase } from '../test/helpers/database.ts';
import { randomFrom } from '../test/helpers/seed.ts';
import { startServerProcess } from '../test/helpers/server-process.ts';
import { cpuSecondsOf, cpuSecondsOfPostgres } from './cpu-time.ts';
import { fitService, quantile, simulate } from './queueing.ts';

const HELP = `npm run load:report [-- options]: api and workers on PostgreSQL, photos over HTTP on loopback, first all at once and then at random

  --workers 1            processes, each with one photo at a time
  --stub-ms 0            work of a photo is a sleep of so long instead of the network (0: the network)
  --width 640 --height 480
  --photos 30            of the measurement of throughput
  --shares 0.5,0.8,1.2   of that throughput, offered one after the other
  --seconds 60           each
  --seed 1
  --out load.json        what was measured, for \`npm run capacity -- --measured load.json\`
`;
const option = (preset: string) => ({ type: 'string', default: preset }) as const;
const { values } = parseArgs({
  options: {
    ...{ workers: option('1'), 'stub-ms': option('0'), width: option('640'), height: option('480') },
    ...{ photos: option('30'), shares: option('0.5,0.8,1.2'), seconds: option('60'), seed: option('1') },
    ...{ out: { type: 'string' }, help: { type: 'boolean', default: false } },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [workers, stubMs, count, seconds, seed] = [
  values.workers,
  values['stub-ms'],
  values.photos,
  values.seconds,
  values.seed,
].map(Number) as [number, number, number, number, number];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const round = (value: number, digits = 1): string => value.toFixed(digits);

const folder = mkdtempSync(join(tmpdir(), 'boardsharp-load-'));
const { url: databaseUrl, remove } = await createPostgresDatabase();
const settings = {
  DATA_DIR: folder,
  DATABASE_URL: databaseUrl,
  WORKER_CONCURRENCY: '1',
  RATE_LIMIT: '0',
  QUOTA: '0',
};
const api = await startServerProcess('api', settings);
const processes = await Promise.all(Array.from({ length: workers }, startWorkerProcess));
const client = createClient({ url: api.url });
const bytes = await drawPhoto(Number(values.width), Number(values.height));
const db = openPostgres(databaseUrl);
try {
  // The first photo of each worker opens its network.
  await Promise.all((await sendAt(new Float64Array(2 * workers))).map(ended));
  const before = await cpuSeconds();
  const startedAt = performance.now();
  const saturated = await Promise.all((await sendAt(new Float64Array(count))).map(ended));
  const span = (performance.now() - startedAt) / 1000;
  const cpu = await cpuSeconds();
  const rate = count / span;
  const service = fitService(saturated.map(workOf), rate / workers);
  say(
    `${count} photos of ${values.width}×${values.height} at once, ${workers} workers${stubMs > 0 ? ` whose network is a sleep of ${stubMs} ms` : ''}: ` +
      `${round(rate, 2)} a second, ${round(rate / workers, 2)} a worker; a photo is ${round(service.meanSeconds, 2)} s of a worker ` +
      `(variation ${round(service.variation, 2)}); load of the machine ${round(loadavg()[0] ?? 0)} on ${availableParallelism()} cores`,
  );
  const used = {
    api: cpu.api - before.api,
    workers: cpu.workers - before.workers,
    database: cpu.database - before.database,
  };
  say(
    `CPU a photo: worker ${ms(used.workers)} ms, api ${ms(used.api)} ms, PostgreSQL ${ms(used.database)} ms. So the first to be full are the workers; ` +
      `one core is full of api at ${round(count / used.api, 0)} photos a second, of PostgreSQL at ${round(count / used.database, 0)}`,
  );
  say(
    '\n| offered, of the throughput | photos | wait: median | 95 % | model: median | 95 % | to the end: 95 % |\n|---|---|---|---|---|---|---|',
  );
  const random = randomFrom(seed);
  for (const share of values.shares.split(',').map(Number)) {
    const arrivals = poisson(share * rate, seconds, random);
    const ends = await Promise.all((await sendAt(arrivals)).map(ended));
    if (ends.some(({ status }) => status !== 'done')) throw new Error('a photo was not done');
    const waits = ends.map(({ createdAt, startedAt }) => between(createdAt, startedAt)).sort((a, b) => a - b);
    const whole = ends
      .map(({ createdAt, finishedAt }) => between(createdAt, finishedAt))
      .sort((a, b) => a - b);
    const model = simulate(arrivals, workers, service, randomFrom(seed)).waits;
    const columns = [
      quantile(waits, 0.5),
      quantile(waits, 0.95),
      model.p50,
      model.p95,
      quantile(whole, 0.95),
    ];
    say(
      `| ${round(share, 2)} | ${ends.length} | ${columns.map((value) => `${round(value)} s`).join(' | ')} |`,
    );
  }
  if (values.out !== undefined) {
    const measured = {
      ...service,
      photo: `${values.width}×${values.height}`,
      cpuSecondsAPhoto: { database: used.database / count, api: used.api / count },
    };
    writeFileSync(values.out, `${JSON.stringify(measured, null, 2)}\n`);
  }
} finally {
  await db.close();
  for (const worker of processes) {
    const gone = once(worker, 'exit');
    worker.kill('SIGKILL');
    await gone;
  }
  await api.stop();
  await remove();
  rmSync(folder, { recursive: true, force: true });
}

function ms(used: number): string {
  return round((1000 * used) / count);
}

async function startWorkerProcess(): Promise<ChildProcess> {
  if (stubMs === 0) return (await startServerProcess('worker', settings)).process;
  const env = { PATH: process.env.PATH ?? '', LOG_LEVEL: 'warn', ...settings };
  const stub = spawn(process.execPath, ['scripts/stub-worker.ts', String(stubMs)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(stub.stdout, 'data');
  return stub;
}

/** Sends a photo at each of these seconds from now. @returns their ids */
async function sendAt(arrivals: Float64Array): Promise<string[]> {
  const startedAt = performance.now();
  const sends: Promise<string>[] = [];
  for (const at of arrivals) {
    const due = 1000 * at - (performance.now() - startedAt);
    if (due > 1) await pause(due);
    sends.push(client.createUpscale(bytes, { scale: 2 }).then(({ id }) => id));
  }
  return Promise.all(sends);
}

async function ended(id: string): Promise<UpscaleState> {
  for (;;) {
    const upscale = await client.getUpscale(id, { wait: 30 });
    if (upscale.finishedAt !== null) return upscale;
  }
}

function workOf({ startedAt, finishedAt }: UpscaleState): number {
  return between(startedAt, finishedAt);
}

/** Seconds. */
function between(from: string | null, to: string | null): number {
  return (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;
}

function poisson(rate: number, seconds: number, random: () => number): Float64Array {
  const times: number[] = [];
  const pauseBefore = (): number => -Math.log(1 - random()) / rate;
  for (let at = pauseBefore(); at < seconds; at += pauseBefore()) times.push(at);
  return Float64Array.from(times);
}

/** What api, workers and the database's processes have used so far. */
async function cpuSeconds(): Promise<{ api: number; workers: number; database: number }> {
  return {
    api: cpuSecondsOf([api.process.pid]),
    workers: cpuSecondsOf(processes.map(({ pid }) => pid)),
    database: await cpuSecondsOfPostgres(db),
  };
}
