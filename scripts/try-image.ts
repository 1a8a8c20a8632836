/** Runs api, worker and bot from a built image, each in a process of its own, and passes a photo through: by HTTP, and by the bot. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../src/client/client.ts';
import { photo, untilEnd } from '../test/helpers/api.ts';
import { freePort } from '../test/helpers/server-process.ts';
import { startFakeTelegram } from '../test/telegram/fake-telegram.ts';
import { eventually, results } from '../test/telegram/meeting.ts';

const { BOARDSHARP_STORAGE: storage, BOARDSHARP_CONTAINER: container, TEST_DATABASE_URL } = process.env;
if (!storage || !container || !TEST_DATABASE_URL) throw new Error('call scripts/build-image.sh');
const KEY = 'a-key-for-this-test-alone';
const folder = mkdtempSync(join(tmpdir(), 'boardsharp-image-'));
const running: ChildProcess[] = [];

/** One role from the image: not root, with a folder of its own for files. */
function run(role: string, env: Record<string, string>): ChildProcess {
  const settings = {
    DATABASE_URL: TEST_DATABASE_URL as string,
    EXECUTION_PROVIDER: 'cpu',
    LOG_LEVEL: 'warn',
    ...env,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const volume = ['--volume', `${folder}:/data:rw`];
  const command = ['node', '/app/bin/boardsharp.js', role];
  const child = spawn(
    'buildah',
    [
      ...(storage as string).split(' '),
      'run',
      '--isolation',
      'chroot',
      '--user',
      '1000:1000',
      ...volume,
      ...args,
      container as string,
      '--',
      ...command,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], detached: true },
  );
  running.push(child);
  return child;
}

const telegram = await startFakeTelegram();
try {
  // The image's user writes there.
  spawn('chown', ['1000:1000', folder]);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  run('api', { PORT: String(port), API_KEYS: KEY, HOST: '127.0.0.1' });
  const isUp = async (): Promise<boolean> =>
    (await fetch(`${url}/health/ready`).catch(() => undefined))?.ok ?? false;
  for (let tries = 0; !(await isUp()); tries++) {
    if (tries > 120) throw new Error('the api does not become ready');
    await new Promise((done) => setTimeout(done, 500));
  }
  run('worker', {});
  run('bot', { API_URL: url, API_KEY: KEY, BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.url });
  const { Secret } = await import('../src/secret.ts');
  const client = createClient({ url, key: new Secret(KEY) });
  const { id } = await client.createUpscale(await photo(96, 64), { scale: 2 });
  const { status, output } = await untilEnd(client, id);
  if (status !== 'done' || output?.width !== 192) throw new Error(`the photo ended ${status}`);
  console.log('api and worker from the image: a photo passed through');
  const anna = telegram.person(1);
  await anna.sendPhoto(await photo(64, 48));
  await eventually(() => results(telegram, anna.chat)[0], 'the bot gave no result', 60_000);
  console.log('the bot from the image: a photo passed through');
} finally {
  for (const { pid } of running) {
    try {
      process.kill(-(pid as number), 'SIGTERM');
    } catch {
      // It has ended already.
    }
  }
  await Promise.all(
    running.map((child) =>
      child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined,
    ),
  );
  await telegram.close();
  rmSync(folder, { recursive: true, force: true });
}
