/** What happens in the namespaces that scripts/cluster-test.sh makes: how work spreads, and every fault, one after the other, under load. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Client, createClient } from '../src/client/client.ts';
import { AppError } from '../src/errors.ts';
import { Secret } from '../src/secret.ts';
import { photo } from '../test/helpers/api.ts';
import { makeBucket, s3ConfigAt } from '../test/helpers/s3-store.ts';
import { startFakeTelegram } from '../test/telegram/fake-telegram.ts';
import { results } from '../test/telegram/meeting.ts';
import {
  ADDRESSES,
  cut,
  fill,
  folder,
  logs,
  type Machine,
  start,
  startPostgres,
  stopAll,
} from './cluster-machines.ts';

const { values } = parseArgs({
  options: {
    storage: { type: 'string', default: 's3' },
    'cut-seconds': { type: 'string', default: '30' },
  },
});
const cutMs = 1000 * Number(values['cut-seconds']);
/** A photo of 1280×960 takes a worker so long (docs/experiments.md). */
const STUB_MS = 1700;
/** Photos under way, by HTTP and again by Telegram, while all the faults happen. */
const AT_ONCE = 6;
const KEY = 'a-key-for-this-test-alone';
const url = `http://${ADDRESSES.api}:8080`;
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const node = process.execPath;
const { database, databaseUrl } = startPostgres();
const s3 = values.storage === 's3' ? s3ConfigAt(`http://${ADDRESSES.storage}:9000`) : undefined;
const settings = {
  DATABASE_URL: databaseUrl,
  EXECUTION_PROVIDER: 'cpu',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'json',
  WORKER_CONCURRENCY: '1',
  DATA_DIR: join(folder, s3 === undefined ? 'storage' : 'data'),
  ...(s3 !== undefined && {
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: s3.bucket,
    S3_ACCESS_KEY_ID: s3.accessKeyId.reveal(),
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey.reveal(),
  }),
};
const role = (name: string, env: Record<string, string> = {}): Machine =>
  start(name, [node, 'src/main.ts', name.replace(/\d$/, '')], { ...settings, ...env });

async function until(what: string, check: () => Promise<boolean>, ms = 120_000): Promise<number> {
  const startedAt = performance.now();
  while (!(await check().catch(() => false))) {
    if (performance.now() - startedAt > ms) throw new Error(`${what}: not within ${ms / 1000} s`);
    await pause(200);
  }
  return performance.now() - startedAt;
}

const client: Client = createClient({ url, key: new Secret(KEY) });
const within = (ms: number): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(ms) });
const ready = async (): Promise<boolean> => (await fetch(`${url}/health/ready`, within(5000))).ok;

/** Sends until it is accepted, whatever happens: the key makes it one photo. */
async function sendSurely(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const idempotencyKey = randomUUID();
  for (;;) {
    try {
      const { id } = await client.createUpscale(bytes, { scale: 2, idempotencyKey, ...within(20_000) });
      return id;
    } catch (error) {
      if (error instanceof AppError && !error.retryable) throw error;
      await pause(500);
    }
  }
}

async function endOf(id: string): Promise<string> {
  for (;;) {
    try {
      const { status, finishedAt } = await client.getUpscale(id, { wait: 10, ...within(20_000) });
      if (finishedAt !== null) return status;
    } catch {
      await pause(500);
    }
  }
}

/** Seconds for so many photos with so many workers whose network is a sleep. */
async function measureSpread(workers: number, photos: number): Promise<number> {
  const bytes = await photo(48, 36);
  const ids = await Promise.all(Array.from({ length: photos }, () => sendSurely(bytes)));
  const startedAt = performance.now();
  const started = [1, 2, 3]
    .slice(0, workers)
    .map((at) => start(`worker${at}`, [node, 'scripts/stub-worker.ts', String(STUB_MS)], settings));
  await Promise.all(ids.map(endOf));
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(started.map((machine) => machine.stop()));
  return seconds;
}

const telegram = await startFakeTelegram({ host: ADDRESSES.users });
let failed = false;
try {
  const storage =
    s3 && start('storage', ['scripts/s3-store.sh', join(folder, 'storage'), ADDRESSES.storage, '9000']);
  if (s3 !== undefined) await makeBucket(s3);
  const api = role('api', { HOST: '0.0.0.0', API_KEYS: KEY, RATE_LIMIT: '0', QUOTA: '0' });
  await until('the api', ready);

  const photos = 36;
  const one = await measureSpread(1, photos);
  const three = await measureSpread(3, photos);
  say(
    `${photos} photos of ${STUB_MS / 1000} s (a sleep, no network): 1 worker ${one.toFixed(1)} s, 3 workers ${three.toFixed(1)} s: ${(one / three).toFixed(2)} times as fast`,
  );
  if (one / three < 2.5) failed = true;

  const workers = ['worker1', 'worker2', 'worker3'].map((name) => role(name));
  const bot = role('bot', {
    API_URL: url,
    API_KEY: KEY,
    BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
  });
  const anna = telegram.person(1);
  await until('the bot', async () => telegram.calls.some(({ method }) => method === 'deleteWebhook'));

  let [over, sentToBot, number] = [false, 0, 0];
  const accepted: Promise<string>[] = [];
  let unfinished = 0;
  const byHttp = (async () => {
    while (!over) {
      // As fast as this machine works on them: a queue that only grows would measure nothing but itself.
      if (unfinished < AT_ONCE) {
        const sent = sendSurely(await photo(96 + (number++ % 8), 64));
        accepted.push(sent);
        unfinished++;
        void sent.then(endOf).finally(() => unfinished--);
      }
      await pause(500);
    }
  })();
  const byTelegram = (async () => {
    while (!over) {
      if (sentToBot - results(telegram, anna.chat).length < AT_ONCE)
        await anna.sendPhoto(await photo(64 + (sentToBot++ % 50), 48));
      await pause(2000);
    }
  })();

  /** Does it, and waits until a photo that is sent afterwards comes through, both ways, without hands. */
  async function endure(what: string, fault: () => Promise<void>): Promise<void> {
    await fault();
    const startedAt = performance.now();
    const status = await endOf(await sendSurely(await photo(80, 60)));
    const before = results(telegram, anna.chat).length;
    await until(`${what}: the bot`, async () => results(telegram, anna.chat).length > before, 180_000);
    say(`${what}: works again after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    if (status !== 'done') failed = true;
  }
  await endure('nothing', async () => undefined);
  for (const machine of [workers[0], api, bot]) {
    if (machine !== undefined) await endure(`${machine.name} killed`, async () => machine.kill());
  }
  for (const machine of [database, storage]) {
    if (machine === undefined) continue;
    await endure(`${machine.name} killed, back after 5 s`, async () => machine.kill(5000));
    await endure(`${machine.name} stands still for 15 s`, async () => {
      machine.signal('SIGSTOP');
      await pause(15_000);
      machine.signal('SIGCONT');
    });
  }
  for (const name of ['worker2', 'api', 'bot', 'database', ...(storage ? ['storage'] : [])])
    await endure(`${name} cut off for ${cutMs / 1000} s`, () => cut(name, cutMs));
  for (const disk of ['storage', 'database'] as const)
    await endure(`the disk of the ${disk} full for 15 s`, () => fill(disk, 15_000));
  over = true;
  await Promise.all([byHttp, byTelegram]);
  const ids = await Promise.all(accepted);
  const ends = await Promise.race([
    Promise.all(ids.map(endOf)),
    pause(300_000, undefined, { ref: false }).then(() => {
      throw new Error('photos that were accepted do not end');
    }),
  ]);
  await until(
    'the last results of the bot',
    async () => results(telegram, anna.chat).length >= sentToBot,
    180_000,
  );
  const done = ends.filter((status) => status === 'done').length;
  const came = results(telegram, anna.chat).length;
  const different = new Set(ids).size;
  say(
    `${done} of ${ids.length} photos by HTTP done, ${different} different; ${came} results for ${sentToBot} photos by Telegram`,
  );
  const complaints = telegram.complaints();
  if (complaints.length > 0) say(complaints.join('\n'));
  if (done !== ids.length || different !== ids.length || came < sentToBot || complaints.length > 0)
    failed = true;
} catch (error) {
  failed = true;
  say(`${(error as Error).stack}`);
} finally {
  database.kill(60_000);
  await stopAll();
  await telegram.close();
}
if (failed) say(logs.slice(-60).join(''));
process.exitCode = failed ? 1 : 0;
