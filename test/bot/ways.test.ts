/** The ways to Telegram: through proxies of every kind, and a Bot API server of one's own. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Api, HttpError, InputFile } from 'grammy';
import { createFileFetch, createTelegramFetch } from '../../src/bot/telegram-fetch.ts';
import { Secret } from '../../src/secret.ts';
import { photo } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { startFakeTelegram } from '../telegram/fake-telegram.ts';
import { eventually, meet, results } from '../telegram/meeting.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function tie(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
  }
}

/** A proxy that takes CONNECT; notes who asked for what. */
async function startHttpProxy(t: TestContext) {
  const asked: { target: string; credentials: string }[] = [];
  const server = createHttpServer().on('connect', (request, socket: Socket) => {
    const target = request.url ?? '';
    asked.push({ target, credentials: request.headers['proxy-authorization'] ?? '' });
    const [host = '', port = ''] = target.split(':');
    const there = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      tie(socket, there);
    });
  });
  return { port: await listen(t, server), asked };
}

/** SOCKS 5 as RFC 1928 and 1929 have it, with a user and a password. */
async function startSocksProxy(t: TestContext) {
  const asked: { target: string; credentials: string }[] = [];
  const server = createServer(async (socket) => {
    const next = async (): Promise<Buffer> => (await once(socket, 'data'))[0] as Buffer;
    await next();
    socket.write(Buffer.from([5, 2]));
    const login = await next();
    const userEnds = 2 + (login[1] ?? 0);
    const credentials = `${login.subarray(2, userEnds)}:${login.subarray(userEnds + 1)}`;
    socket.write(Buffer.from([1, 0]));
    const wish = await next();
    const isName = wish[3] === 3;
    const host = isName ? String(wish.subarray(5, -2)) : wish.subarray(4, 8).join('.');
    const port = wish.readUInt16BE(wish.length - 2);
    asked.push({ target: `${host}:${port}`, credentials });
    const there = connect(port, host, () => {
      socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      tie(socket, there);
    });
  });
  return { port: await listen(t, server), asked };
}

test('calls, uploads and files go through an HTTP proxy and a SOCKS proxy, with user and password', async (t) => {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  const anna = telegram.person(1);
  const bytes = await photo(64, 48);
  const { host } = new URL(telegram.url);
  const [http, socks] = [await startHttpProxy(t), await startSocksProxy(t)];
  for (const [address, asked, credentials] of [
    [
      `http://user:hunter2@127.0.0.1:${http.port}`,
      http.asked,
      `Basic ${Buffer.from('user:hunter2').toString('base64')}`,
    ],
    [`socks5://user:hunter2@127.0.0.1:${socks.port}`, socks.asked, 'user:hunter2'],
    [`socks5h://user:hunter2@127.0.0.1:${socks.port}`, socks.asked, 'user:hunter2'],
  ] as const) {
    const before = telegram.calls.length;
    asked.splice(0);
    const proxy = new Secret(address);
    const api = new Api(telegram.token, {
      apiRoot: telegram.url,
      fetch: createTelegramFetch(proxy),
    } as never);
    await api.getMe();
    const sent = await api.sendDocument(1, new InputFile(bytes, 'a.jpg'));
    assert.deepEqual(new Uint8Array(telegram.fileOf(sent as never).bytes), bytes);
    const { file_path: path } = await api.getFile(sent.document.file_id);
    const file = await createFileFetch(proxy)(`${telegram.url}/file/bot${telegram.token}/${path}`);
    assert.deepEqual(new Uint8Array(await file.arrayBuffer()), bytes);
    assert.equal(telegram.calls.length - before, 3);
    assert.ok(asked.length >= 1, 'it went past the proxy');
    for (const one of asked) assert.deepEqual(one, { target: host, credentials });
  }
  assert.equal(telegram.messages(anna.chat, true).length, 3);
});

test('an answer that goes silent in its middle ends; a file may take longer', async (t) => {
  const server = createHttpServer((request, response) => {
    response.writeHead(200, { 'Content-Length': 12 }).write('{"ok":');
    if (request.url === '/file') finishFile = () => response.end('true} ');
  });
  let finishFile = (): unknown => undefined;
  const address = `http://127.0.0.1:${await listen(t, server)}`;
  const proxy = new Secret(`http://127.0.0.1:${(await startHttpProxy(t)).port}`);
  // Real connections; only what would take a minute does not.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [answer, file] = await Promise.all([
    createTelegramFetch(undefined)(`${address}/answer`),
    createFileFetch(proxy)(`${address}/file`),
  ]);
  const ended = assert.rejects(answer.json(), /abort/);
  t.mock.timers.tick(60_000);
  await ended;
  finishFile();
  assert.equal(await file.text(), '{"ok":true} ');
});

test('a proxy that is reached by https is spoken to in TLS, and may hang up', async (t) => {
  const heard: number[] = [];
  const server = createServer((socket) => {
    socket.once('data', (bytes) => {
      heard.push(bytes[0] ?? 0);
      socket.destroy();
    });
  });
  const fetch = createTelegramFetch(new Secret(`https://user:hunter2@127.0.0.1:${await listen(t, server)}`));
  for (const apiRoot of ['https://api.telegram.org', 'http://127.0.0.1:1']) {
    await assert.rejects(new Api('1:x', { apiRoot, fetch } as never).getMe(), HttpError);
  }
  // The type of a TLS handshake's record: the password does not travel in the open.
  assert.deepEqual(heard, [0x16, 0x16]);
});

test('calls and uploads go through a proxy that is reached by https', async (t) => {
  const telegram = await startFakeTelegram();
  t.after(() => telegram.close());
  telegram.person(1);
  const folder = temporaryFolder(t);
  const pem = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    ...pem,
    ...subject,
  ]);
  if (made.status !== 0) return t.skip('openssl makes the certificate, and is not there');
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder, name)));
  const asked: string[] = [];
  const server = createTlsServer({ key, cert } as object).on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const there = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      tie(socket, there);
    });
  });
  const port = await listen(t, server);
  // Certificates are trusted by a process from its beginning.
  const program = `
    const { createTelegramFetch } = await import(${JSON.stringify(new URL('../../src/bot/telegram-fetch.ts', import.meta.url).href)});
    const { Secret } = await import(${JSON.stringify(new URL('../../src/secret.ts', import.meta.url).href)});
    const { Api, InputFile } = await import('grammy');
    const fetch = createTelegramFetch(new Secret('https://user:hunter2@localhost:${port}'));
    const api = new Api(process.argv[1], { apiRoot: '${telegram.url}', fetch });
    await api.getMe();
    const { document } = await api.sendDocument(1, new InputFile(new Uint8Array(100_000), 'a.bin'));
    console.log(document.file_size);
    process.exit(0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, telegram.token], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  await once(child, 'close');
  assert.equal(output.trim(), '100000');
  const { host } = new URL(telegram.url);
  const credentials = `Basic ${Buffer.from('user:hunter2').toString('base64')}`;
  for (const one of asked) assert.equal(one, `${host} ${credentials}`);
  assert.ok(asked.length > 0);
});

test('files of a Bot API server of one’s own are read from its disk', async (t) => {
  const { telegram } = await meet(t);
  const anna = telegram.person(1);
  const bytes = await photo(64, 48);
  const path = join(temporaryFolder(t), 'file_1.jpg');
  writeFileSync(path, bytes);
  const get = telegram.state.files.set.bind(telegram.state.files);
  telegram.state.files.set = (id, file) => get(id, file.kind === 'photo' ? { ...file, path } : file);
  await anna.sendPhoto(bytes);
  const result = await eventually(() => results(telegram, anna.chat)[0], 'nothing came', 60_000);
  assert.match(result.caption ?? '', /^64×48/);
  await anna.sendPhoto(await photo(60, 48));
  await eventually(() => results(telegram, anna.chat)[1], 'nothing came', 60_000);
});
