/** What happens in the namespaces that scripts/cluster-test.sh makes: how work spreads, and every fault, one after the other, under load. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Client, createClient } from '../src/client/client.ts';
import { AppError } from '../src/errors.ts';
import { Secret } from '../src/secret.ts';
import { photo } from '../test/helpers/api.ts';
import { startFakeTelegram } from '../test/telegram/fake-telegram.ts';
import { results } from '../test/telegram/meeting.ts';

const { values } = parseArgs({
  options: {
    storage: { type: 'string', default: 's3' },
    'cut-seconds': { type: 'string', default: '30' },
  },
});
const { CLUSTER_PREFIX: prefix = '', CLUSTER_FOLDER: folder = '' } = process.env;
if (prefix === '') throw new Error('call scripts/cluster-test.sh');
const cutMs = 1000 * Number(values['cut-seconds']);
const onS3 = values.storage === 's3';
const KEY = 'a-key-for-this-test-alone';
const [USERS, API, DATABASE, STORAGE] = ['10.77.1.2', '10.77.1.3', '10.77.1.8', '10.77.1.9'];
const url = `http://${API}:8080`;
const postgresBin = execFileSync('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1'])
  .toString()
  .trim();
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** A program in a namespace, started again when it ends by itself: what a cluster does. */
interface Machine {
  readonly name: string;
  stop(): Promise<void>;
  /** SIGKILL; it is started again. */
  kill(): void;
  signal(signal: NodeJS.Signals): void;
}

const machines: Machine[] = [];
const logs: string[] = [];

function start(name: string, command: readonly string[], env: Readonly<Record<string, string>>): Machine {
  let child: ChildProcess;
  let stopped = false;
  const run = (): void => {
    const { PATH = '' } = process.env;
    child = spawn('ip', ['netns', 'exec', `${prefix}-${name}`, ...command], {
      env: { PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.on('data', (text: Buffer) => logs.push(`${name}: ${text}`));
    child.on('exit', () => {
      if (!stopped) setTimeout(run, 500);
    });
  };
  run();
  const machine: Machine = {
    name,
    async stop() {
      stopped = true;
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGTERM');
      await Promise.race([ended, pause(12_000).then(() => child.kill('SIGKILL'))]);
      machines.splice(machines.indexOf(machine), 1);
    },
    kill: () => void child.kill('SIGKILL'),
    signal: (signal) => void child.kill(signal),
  };
  machines.push(machine);
  return machine;
}

const settings = {
  DATABASE_URL: `postgres://boardsharp:password@${DATABASE}:5432/postgres`,
  EXECUTION_PROVIDER: 'cpu',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'json',
  WORKER_CONCURRENCY: '1',
  DATA_DIR: onS3 ? join(folder, 'data') : join(folder, 'disk'),
  ...(onS3
    ? {
        S3_ENDPOINT: `http://${STORAGE}:9000`,
        S3_BUCKET: 'boardsharp',
        S3_ACCESS_KEY_ID: 'test',
        S3_SECRET_ACCESS_KEY: 'test',
      }
    : {}),
};
const node = process.execPath;
const role = (name: string, env: Record<string, string> = {}): Machine =>
  start(name, [node, 'src/main.ts', name.replace(/\d$/, '')], { ...settings, ...env });

function inDatabase(...args: string[]): void {
  execFileSync(
    'ip',
    [
      'netns',
      'exec',
      `${prefix}-database`,
      'setpriv',
      '--reuid=postgres',
      '--regid=postgres',
      '--clear-groups',
      ...args,
    ],
    { cwd: '/', stdio: 'ignore' },
  );
}
const data = join(folder, 'postgres');
const startPostgres = (): void =>
  inDatabase(
    join(postgresBin, 'pg_ctl'),
    '-D',
    data,
    '-w',
    '-t',
    '60',
    '-l',
    join(data, 'log'),
    '-o',
    `-c listen_addresses=* -c unix_socket_directories=${data} -c max_connections=200`,
    'start',
  );
const killPostgres = (): void =>
  inDatabase(join(postgresBin, 'pg_ctl'), '-D', data, '-m', 'immediate', '-w', 'stop');

function openPostgres(): void {
  execFileSync('install', ['-d', '-o', 'postgres', '-g', 'postgres', data]);
  writeFileSync('/tmp/boardsharp-cluster-password', 'password');
  inDatabase(
    join(postgresBin, 'initdb'),
    '-D',
    data,
    '-U',
    'boardsharp',
    '--auth=scram-sha-256',
    '--pwfile=/tmp/boardsharp-cluster-password',
    '--no-sync',
  );
  rmSync('/tmp/boardsharp-cluster-password');
  execFileSync('sh', ['-c', `echo 'host all all 10.77.1.0/24 scram-sha-256' >> ${data}/pg_hba.conf`]);
  startPostgres();
}

const link = (name: string, state: 'up' | 'down'): void =>
  void execFileSync('ip', ['-n', `${prefix}-switch`, 'link', 'set', name, state]);

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
    .map((at) => start(`worker${at}`, [node, 'scripts/stub-worker.ts', '500'], settings));
  await Promise.all(ids.map(endOf));
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(started.map((machine) => machine.stop()));
  return seconds;
}

const telegram = await startFakeTelegram({ host: USERS });
let failed = false;
try {
  openPostgres();
  if (onS3) {
    start('storage', ['moto_server', '-H', STORAGE, '-p', '9000'], {});
    await until(
      'the S3 server',
      async () => (await fetch(`http://${STORAGE}:9000/moto-api/`, within(2000))).ok,
    );
    await fetch(`http://${STORAGE}:9000/boardsharp`, { method: 'PUT' });
  }
  const api = role('api', { HOST: '0.0.0.0', API_KEYS: KEY, RATE_LIMIT: '0', QUOTA: '0' });
  await until('the api', ready);

  const photos = 60;
  const one = await measureSpread(1, photos);
  const three = await measureSpread(3, photos);
  say(
    `${photos} photos of half a second (a sleep, no network): 1 worker ${one.toFixed(1)} s, 3 workers ${three.toFixed(1)} s: ${(one / three).toFixed(2)} times as fast`,
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
  const byHttp = (async () => {
    while (!over) {
      accepted.push(sendSurely(await photo(96 + (number++ % 8), 64)));
      await pause(700);
    }
  })();
  const byTelegram = (async () => {
    while (!over) {
      await anna.sendPhoto(await photo(64 + (sentToBot++ % 50), 48));
      await pause(2500);
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
  const cut = (name: string) => async (): Promise<void> => {
    link(name, 'down');
    await pause(cutMs);
    link(name, 'up');
  };

  await endure('nothing', async () => undefined);
  await endure('worker killed', async () => workers[0]?.kill());
  await endure('api killed', async () => api.kill());
  await endure('bot killed', async () => bot.kill());
  await endure('PostgreSQL killed, back after 5 s', async () => {
    killPostgres();
    await pause(5000);
    startPostgres();
  });
  for (const name of ['worker2', 'api', 'bot', 'database'])
    await endure(`${name} cut off for ${cutMs / 1000} s`, cut(name));
  if (onS3) {
    await endure(`storage cut off for ${cutMs / 1000} s`, cut('storage'));
    await endure('storage stopped for 15 s', async () => {
      const storage = machines.find(({ name }) => name === 'storage');
      storage?.signal('SIGSTOP');
      await pause(15_000);
      storage?.signal('SIGCONT');
    });
  } else {
    await endure('disk full for 15 s', async () => {
      const full = join(folder, 'disk', 'full');
      try {
        writeFileSync(full, Buffer.alloc(64 * 2 ** 20));
      } catch {
        // That is what was wanted.
      }
      await pause(15_000);
      rmSync(full);
    });
  }
  over = true;
  await Promise.all([byHttp, byTelegram]);
  const ids = await Promise.all(accepted);
  const ends = await Promise.all(ids.map(endOf));
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
  await Promise.all([...machines].map((machine) => machine.stop()));
  killPostgres();
  await telegram.close();
}
if (failed) say(logs.slice(-30).join(''));
process.exitCode = failed ? 1 : 0;
