import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, sep } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { openDatabase } from '../../src/storage/open-database.ts';
import { openTestService, photo, untilEnd } from '../helpers/api.ts';
import { integer, seededRandom } from '../helpers/seed.ts';

/** How many images, and how many requests: a few hundred in the suite, as many as FUZZ says otherwise. */
const COUNT = Number(process.env.FUZZ ?? 150);
const AT_ONCE = 6;
/** A request that is complete, or cut off, is answered or closed within this; anything longer is a hang. */
const PATIENCE_MS = 20_000;

type Random = () => number;

test('mutated images and requests: no 500, no crash, no hang, no file left behind', {
  timeout: 600_000,
}, async (t) => {
  const random = seededRandom(t);
  // Small limits: a mutation may ask for a picture of any size.
  const settings = { MAX_INPUT_PIXELS: '1000000', MAX_INPUT_SIDE: '48', MAX_INPUT_BYTES: '100000' };
  const { url, client, folder, close } = await openTestService(t, settings);

  await t.test(`${COUNT} images`, { timeout: 300_000 }, async (t) => {
    const { images, heic } = await exampleImages();
    const outcomes = new Map<string, number>();
    await inParallel(COUNT, async () => {
      // HEIC takes a thread and half a second each: a few are enough.
      const [name, image] = random() < 0.03 ? heic : pick(random, images);
      const bytes = mutate(random, image, [...image.keys()].slice(0, 4).map(String));
      const response = await fetch(`${url}/v1/upscales?scale=2`, { method: 'POST', body: bytes });
      const answer = (await response.json()) as { id: string; code?: string };
      assert.ok(response.status < 500, `${name}: ${response.status} ${answer.code}`);
      let outcome = answer.code ?? '';
      if (response.status === 202) {
        const end = await untilEnd(client, answer.id);
        outcome = end.error?.code ?? end.status;
        // The engine may refuse an image in many ways; that it failed itself would be a fault of ours.
        assert.ok(
          !['INTERNAL', 'ENGINE_FAILED', 'ENGINE_CRASHED', 'TIMEOUT'].includes(outcome),
          `${name}: ${end.error?.message}`,
        );
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    });
    tell(t, outcomes);
    assert.ok((outcomes.get('done') ?? 0) > 0 && (outcomes.get('IMAGE_BROKEN') ?? 0) > 0);
  });

  await t.test(`${COUNT} requests`, { timeout: 300_000 }, async (t) => {
    const { id } = await client.createUpscale(await photo(), { scale: 2 });
    const requests = exampleRequests(id, Buffer.from(await photo()));
    const statuses = new Map<string, number>();
    await inParallel(COUNT, async () => {
      const request = mutateRequest(random, pick(random, requests));
      const answer = await converse(url, request);
      const found = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status ?? '');
      for (const status of found) {
        assert.ok(
          Number(status) < 500,
          `${request.toString('latin1').slice(0, 300)}\n→ ${answer.slice(0, 600)}`,
        );
      }
      const key = found.join(' ') || 'closed';
      statuses.set(key, (statuses.get(key) ?? 0) + 1);
    });
    tell(t, statuses);
    for (const path of ['live', 'ready']) assert.equal((await fetch(`${url}/health/${path}`)).status, 200);
    assert.equal((await untilEnd(client, (await client.createUpscale(await photo())).id)).status, 'done');
  });

  await t.test('every file that is left belongs to an upscale', async (t) => {
    await close();
    const db = await openDatabase({ dataDir: folder, databaseUrl: undefined });
    t.after(() => db.close());
    const rows = await db.query<{ id: string; status: string; erased: boolean }>(
      'select id, status, erased_at is not null as erased from upscales',
    );
    const kept = rows.filter(({ erased }) => !erased);
    const expected = [
      ...kept.map(({ id }) => `photos/${id}`),
      ...kept.filter(({ status }) => status === 'done').map(({ id }) => `results/${id}`),
    ];
    // Requests that were cut off may have left a photo that was still queued when the service closed.
    assert.deepEqual(filesUnder(join(folder, 'blobs')), expected.toSorted());
  });
});

async function exampleImages(): Promise<{ images: [string, Buffer][]; heic: [string, Buffer] }> {
  const png = sharp(await photo(40, 30, 'png'));
  const heic = readFileSync(join(import.meta.dirname, '../fixtures/display-p3.heic'));
  const others = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const;
  const list: [string, Buffer][] = [];
  for (const format of others) list.push([format, await png.clone().toFormat(format).toBuffer()]);
  const turned = await png.clone().withMetadata({ orientation: 6 }).jpeg({ progressive: true }).toBuffer();
  return { images: [...list, ['turned jpeg', turned]], heic: ['heic', heic] };
}

function exampleRequests(id: string, image: Buffer): Buffer[] {
  const request = (line: string, headers: readonly string[] = [], body: Buffer = Buffer.alloc(0)) => {
    const length = body.length > 0 ? [`Content-Length: ${body.length}`] : [];
    const head = [`${line} HTTP/1.1`, 'Host: localhost', ...headers, ...length, '', ''].join('\r\n');
    return Buffer.concat([Buffer.from(head), body]);
  };
  const part = (name: string, value: string | Buffer, more = '') =>
    Buffer.concat([
      Buffer.from(`--cut\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]);
  const form = Buffer.concat([
    part('scale', '2'),
    part('image', image, '; filename="a.jpg"\r\nContent-Type: image/jpeg'),
    part('format', 'png'),
    Buffer.from('--cut--\r\n'),
  ]);
  const chunked = Buffer.concat([
    Buffer.from(`${image.length.toString(16)}\r\n`),
    image,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
  const head = Buffer.from('POST /v1/upscales HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  return [
    request(
      'POST /v1/upscales?scale=2&format=png',
      ['Content-Type: image/jpeg', 'Idempotency-Key: k'],
      image,
    ),
    request('POST /v1/upscales', ['Content-Type: multipart/form-data; boundary=cut'], form),
    request(
      'POST /v1/upscales?model=boardsharp-x2',
      ['Content-Type: multipart/form-data; boundary=cut'],
      form,
    ),
    Buffer.concat([head, chunked]),
    request(`GET /v1/upscales/${id}?wait=0.05`, ['Boardsharp-User: telegram:12', 'X-Request-Id: abc']),
    request(`GET /v1/upscales/${id}/events`),
    request(`GET /v1/upscales/${id}/original`, ['If-None-Match: "a", "b"']),
    request(`HEAD /v1/upscales/${id}/result`),
    request('DELETE /v1/upscales/00000000-0000-4000-8000-000000000000', ['Content-Type: application/json']),
    request('GET /v1/models', ['Authorization: Bearer abc']),
    request('GET /metrics'),
    request('GET /health/ready'),
    request('GET /openapi.json'),
    request('GET /docs/static/index.html', ['Range: bytes=0-10']),
    request('GET /'),
  ];
}

const WORDS = [
  ...[
    '%00',
    '%ff',
    '../',
    '..%2f',
    '\r\n',
    '\r\n\r\n',
    '\0',
    '"',
    ';',
    ':',
    '--cut',
    '--cut--',
    '&',
    '=',
    '?',
    '#',
  ],
  ...[
    '-1',
    '0',
    '1e309',
    '99999999999999999999',
    'NaN',
    'null',
    '[]',
    '{}',
    '__proto__',
    'constructor',
    'é',
    '\u{1f600}',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\n',
    'Connection: close\r\n',
  ],
  ...[
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    'scale=4',
    'wait=1',
    'image',
    'name=',
    'a'.repeat(20_000),
  ],
];

/** Changes the address, the headers, the body or anything: most changes anywhere would only make it no HTTP at all. */
function mutateRequest(random: Random, request: Buffer): Buffer {
  const [space, version, body] = [
    request.indexOf(' ') + 2,
    request.indexOf(' HTTP'),
    request.indexOf('\r\n\r\n') + 4,
  ];
  const places: readonly (readonly [number, number])[] = [
    [space, version],
    [request.indexOf('\r\n') + 2, body - 4],
    [body, request.length],
    [0, request.length],
  ];
  const [from, to] = pick(random, places);
  const changed = mutate(random, request.subarray(from, to), WORDS, 2);
  const sent = Buffer.concat([request.subarray(0, from), changed, request.subarray(to)]);
  if (from !== body || random() < 0.3) return sent;
  const head = sent.subarray(0, body).toString('latin1');
  const length = `Content-Length: ${changed.length}`;
  return Buffer.concat([Buffer.from(head.replace(/Content-Length: \d+/, length), 'latin1'), changed]);
}

/** A few changes: bytes changed, taken out, doubled, cut off, or a word put in. */
function mutate(random: Random, original: Buffer, words: readonly string[], most = 6): Buffer<ArrayBuffer> {
  let bytes: Buffer<ArrayBuffer> = Buffer.from(original);
  for (let i = integer(random, 1, most); i > 0; i--) {
    const at = integer(random, 0, Math.max(0, bytes.length - 1));
    const to = Math.min(bytes.length, at + integer(random, 1, 40));
    const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
    switch (integer(random, 0, 6)) {
      case 0:
        bytes = Buffer.concat([before, after]);
        break;
      case 1:
        bytes = Buffer.concat([before, middle, middle, after]);
        break;
      case 2:
        if (random() < 0.3) bytes = Buffer.from(before);
        break;
      case 3:
        bytes = Buffer.concat([before, Buffer.from(pick(random, words)), middle, after]);
        break;
      default:
        bytes[at] = integer(random, 0, 255);
    }
  }
  return bytes;
}

/** Sends bytes, ends the sending side, and answers with all that came back until the server closed. */
function converse(url: string, bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((done, fail) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = '';
    const hung = setTimeout(() => {
      fail(
        new Error(
          `no end after ${PATIENCE_MS} ms: ${bytes.toString('latin1').slice(0, 300)} → ${answer.slice(0, 200)}`,
        ),
      );
      socket.destroy();
    }, PATIENCE_MS);
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
    });
    // A reset after the answer is a way to close, too.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(hung);
      done(answer);
    });
    socket.end(bytes);
  });
}

async function inParallel(count: number, work: () => Promise<void>): Promise<void> {
  const turns = Array.from({ length: count }).values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const _ of turns) await work();
    }),
  );
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[integer(random, 0, list.length - 1)] as T;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll(sep, '/'),
    )
    .toSorted();
}

function tell(t: TestContext, counts: ReadonlyMap<string, number>): void {
  t.diagnostic([...counts].map(([name, count]) => `${name} ${count}`).join(', '));
}
