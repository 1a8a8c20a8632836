/** The token never appears: not in errors, not in logs, not in what is thrown, dumped or printed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { Api, HttpError } from 'grammy';
import type { Desk } from '../../src/bot/desk.ts';
import { download } from '../../src/bot/download.ts';
import { createFileFetch, createTelegramFetch } from '../../src/bot/telegram-fetch.ts';
import { readConfig } from '../../src/config.ts';
import { redactTokens, Secret } from '../../src/secret.ts';
import { photo } from '../helpers/api.ts';
import { prepareDatabase } from '../helpers/data-folder.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { FAKE_TOKEN, startFakeTelegram } from '../telegram/fake-telegram.ts';
import { eventually, results } from '../telegram/meeting.ts';

const [, SECRET_PART = ''] = FAKE_TOKEN.split(':');

function assertClean(text: string, what: string): void {
  assert.ok(text.length > 0, `${what}: nothing to look at`);
  assert.ok(!text.includes(SECRET_PART), `${what} holds the token`);
}

async function unreachable(): Promise<HttpError> {
  const fetch = createTelegramFetch(undefined);
  const api = new Api(FAKE_TOKEN, { apiRoot: 'http://127.0.0.1:1', fetch } as never);
  try {
    await api.getMe();
  } catch (error) {
    assert.ok(error instanceof HttpError);
    return error;
  }
  throw new Error('somebody answers on port 1');
}

test('a failed call can be inspected, printed as JSON, and logged in any field', async () => {
  const error = await unreachable();
  assertClean(inspect(error, { depth: 9, showHidden: true }), 'inspect');
  assertClean(JSON.stringify(error), 'JSON');
  assertClean(String(error.stack), 'the stack');
  assertClean(`${inspect(error.error, { depth: 9 })}${JSON.stringify(error.error)}`, 'the cause');
});

test('nor does a page of a proxy where Telegram should answer, or a download that breaks', async (t) => {
  const stop = new AbortController();
  const server = createServer((request, response) => {
    if (request.url?.includes('/file/')) {
      // It would be tried for minutes, but for the bot's end.
      stop.abort();
      response.writeHead(200, { 'Content-Length': 100 }).write('half');
      setImmediate(() => request.socket.destroy());
    } else response.writeHead(502).end('<h1>Bad Gateway</h1>');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const apiRoot = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fetch = createTelegramFetch(undefined);
  await assert.rejects(new Api(FAKE_TOKEN, { apiRoot, fetch } as never).getMe(), (error) => {
    assertClean(inspect(error, { depth: 9 }), 'the page of a proxy');
    return true;
  });
  const api = { getFile: async () => ({ file_path: 'photos/1.jpg' }) };
  const limits = { maxInputBytes: 1000 };
  const desk = {
    api,
    fetch: createFileFetch(undefined),
    apiRoot,
    limits,
    token: new Secret(FAKE_TOKEN),
    stopping: stop.signal,
  } as unknown as Desk;
  await assert.rejects(download(desk, 'x'), (error) => {
    assertClean(inspect(error, { depth: 9 }), 'a broken download');
    return true;
  });
});

test('an address with the token is redacted, also where it follows a letter', () => {
  const address = `https://api.telegram.org/file/bot${FAKE_TOKEN}/photos/1.jpg`;
  assertClean(redactTokens(address), 'an address');
  assert.match(redactTokens(address), /bot4242424242:\[secret\]\/photos/);
  assert.equal(redactTokens('12:34 and 12345:short'), '12:34 and 12345:short');
});

test('the log is the last net: even a dumped bot or context is clean', async () => {
  const log = new URL('../../src/log.ts', import.meta.url).href;
  const program = `
    const { openLog } = await import(${JSON.stringify(log)});
    const { Bot, Api } = await import('grammy');
    const token = process.argv[1];
    for (const format of ['json', 'pretty']) {
      const log = openLog({ level: 'info', format });
      log.info({ bot: new Bot(token).token, api: { token }, url: 'http://x/bot' + token + '/getMe' }, 'a ' + token);
      log.error(new Error('request to http://x/bot' + token + '/getMe failed'));
      // grammY's own fetch, whose errors hold the address in more places than their message.
      const plain = new Bot(token, { botInfo: { id: 1, username: 'x' }, client: { apiRoot: 'http://127.0.0.1:1' } });
      await plain.api.getMe().catch((error) => {
        log.error(error);
        log.error({ err: error, error, cause: error.error });
      });
      plain.use((ctx) => {
        log.info({ ctx, bot: plain, api: plain.api }, 'a context');
        return ctx.api.getMe();
      });
      await plain.handleUpdate({ update_id: 1 }).catch((error) => {
        log.error(error);
        log.error({ err: error, error, ctx: error.ctx, name: error.constructor.name });
      });
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, FAKE_TOKEN], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  assert.match(output, /4242424242:\[secret\]/);
  assert.match(output, /a context/);
  assert.match(output, /BotError/);
  assertClean(output, 'the log');
});

test('what nobody has caught is printed without it', async () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const bot = JSON.stringify(import.meta.resolve('grammy'));
  const crash = `import grammy from ${bot};
    setTimeout(() => Promise.reject(new grammy.BotError(new Error('x'), { api: { token: process.env.BOT_TOKEN } })), 100);`;
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(crash)}`, main, 'bot'],
    {
      env: {
        PATH: process.env.PATH,
        BOT_TOKEN: FAKE_TOKEN,
        API_URL: 'http://127.0.0.1:1',
        TELEGRAM_API_ROOT: 'http://127.0.0.1:1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [exitCode] = await once(child, 'close');
  assert.equal(exitCode, 1);
  assert.match(output, /BotError[\s\S]*4242424242:\[secret\]/);
  assertClean(output, 'the output of a crash');
});

test('settings do not show it, nor do their mistakes', () => {
  const config = readConfig({ BOT_TOKEN: FAKE_TOKEN });
  assertClean(inspect(config, { depth: 9 }), 'settings');
  assertClean(JSON.stringify(config), 'settings as JSON');
  assertClean(String(new Secret(FAKE_TOKEN)), 'the secret');
  assert.throws(
    () => readConfig({ BOT_TOKEN: `${FAKE_TOKEN}\u0000 and more` }),
    ({ message }: Error) => !message.includes(SECRET_PART),
  );
});

test('a proxy that refuses says nothing of it', async (t) => {
  const proxy = createServer().on('connect', (_request, socket) =>
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'),
  );
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  t.after(() => proxy.close());
  const { port } = proxy.address() as AddressInfo;
  for (const address of [`http://user:password@127.0.0.1:${port}`, 'socks5://user:password@127.0.0.1:1']) {
    const fetch = createTelegramFetch(new Secret(address));
    const api = new Api(FAKE_TOKEN, { apiRoot: 'https://api.telegram.org', fetch } as never);
    await assert.rejects(api.getMe(), (error) => {
      const text = inspect(error, { depth: 9 });
      assertClean(text, 'the error');
      return !text.includes('password');
    });
  }
});

test('a token that Telegram does not know from the start ends the bot alone', async (t) => {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  const folder = temporaryFolder(t);
  await prepareDatabase(folder);
  telegram.fail({ kind: 401, times: 50, description: 'Unauthorized' });
  const server = await startServerProcess('start', {
    ...{ DATA_DIR: folder, BOT_TOKEN: FAKE_TOKEN, TELEGRAM_API_ROOT: telegram.url },
  });
  t.after(() => server.kill());
  const end = /the bot has ended, everything else goes on/;
  await eventually(() => end.test(server.log()), `it did not end:\n${server.log()}`, 60_000);
  assert.ok((await fetch(`${server.url}/health/live`)).ok, 'the API goes on');
  assert.equal(await server.stop(), 0);
  assert.match(server.log(), /Telegram does not know the bot/);
});

test('everything a bot prints while all goes wrong, grepped for the token: nothing', async (t) => {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  const folder = temporaryFolder(t);
  await prepareDatabase(folder);
  const env = {
    ...{
      DATA_DIR: folder,
      BOT_TOKEN: FAKE_TOKEN,
      TELEGRAM_API_ROOT: telegram.url,
      LOG_LEVEL: 'trace',
    },
  };
  telegram.fail({ method: 'getMe', kind: 'cut' });
  telegram.fail({ method: 'getUpdates', kind: 'html' });
  telegram.fail({ method: 'sendDocument', kind: 'lost' });
  telegram.fail({ method: 'file', kind: 'cut' });
  telegram.fail({ method: 'file', kind: 500 });
  const server = await startServerProcess('start', env);
  t.after(() => server.kill());
  const anna = telegram.person(1);
  await anna.sendPhoto(await photo(64, 48));
  await eventually(() => results(telegram, anna.chat)[0], `nothing came:\n${server.log()}`, 60_000);
  telegram.fail({ kind: 401, times: 50, description: 'Unauthorized' });
  telegram.fail({ method: 'getUpdates', kind: 401, times: 50, description: 'Unauthorized' });
  anna.sendText('/help');
  await eventually(() => /the bot has ended/.test(server.log()), `it did not end:\n${server.log()}`, 60_000);
  assert.ok((await fetch(`${server.url}/health/live`)).ok, 'the API goes on');
  await server.stop();
  assertClean(server.log(), 'the output');
  assert.match(server.log(), /Telegram does not know the bot/);
});
