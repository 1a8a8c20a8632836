import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Problem } from '../../src/api/problem.ts';
import type { UpscaleState } from '../../src/client/client.ts';
import { decode } from '../../src/engine/image-codec.ts';
import { photoKey, resultKey } from '../../src/job.ts';
import { openS3Blobs } from '../../src/storage/s3-blobs.ts';
import { API_ONLY, collect, largePhoto, openTestService, photo, untilEnd } from '../helpers/api.ts';
import { NO_S3_STORE, startS3Store } from '../helpers/s3-store.ts';

/** Sends a form; what is no photo is a field. */
function sendForm(url: string, parts: Record<string, Uint8Array<ArrayBuffer> | string>): Promise<Response> {
  const body = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === 'string') body.append(name, part);
    else body.append(name, new Blob([part]), 'board.jpg');
  }
  return fetch(`${url}/v1/upscales`, { method: 'POST', body });
}

async function assertProblem(response: Response, status: number, code: string): Promise<void> {
  const problem = (await response.json()) as Problem;
  assert.equal(response.status, status, JSON.stringify(problem));
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(problem.code, code);
  assert.equal(problem.status, status);
  assert.ok(problem.title && problem.detail && problem.action);
  assert.equal(problem.requestId, response.headers.get('x-request-id'));
}

test('a photo sent as a form or as the body becomes a result of the right size and format', async (t) => {
  const { url, client } = await openTestService(t);

  await t.test('form with fields', async () => {
    const response = await sendForm(url, { image: await photo(), scale: '2', format: 'png' });
    assert.equal(response.status, 202);
    const sent = (await response.json()) as UpscaleState;
    assert.equal(response.headers.get('location'), `/v1/upscales/${sent.id}`);
    const input = { width: 48, height: 36, bytes: (await photo()).length, format: 'jpeg' };
    assert.deepEqual(sent.input, input);
    const end = await untilEnd(client, sent.id);
    assert.equal(end.status, 'done');
    assert.deepEqual([end.scale, end.progress, end.position, end.error], [2, 1, null, null]);
    assert.ok(end.quality?.verdict);
    const { body, bytes, type } = await client.getResult(sent.id);
    const result = new Uint8Array(await new Response(body).arrayBuffer());
    assert.deepEqual([type, bytes, result.length], ['image/png', end.output?.bytes, bytes]);
    const { width, height } = await decode(result, 'png', { maxPixels: 1e6 });
    assert.deepEqual([width, height], [96, 72]);
  });

  await t.test('the body alone, chosen by its size; the original comes back as it was', async () => {
    const sent = await client.createUpscale(await photo());
    const end = await untilEnd(client, sent.id);
    assert.deepEqual([end.scale, end.output?.width, end.output?.format], [4, 192, 'jpeg']);
    const original = await fetch(`${url}/v1/upscales/${sent.id}/original`);
    assert.deepEqual(new Uint8Array(await original.arrayBuffer()), await photo());
    assert.match(
      original.headers.get('content-disposition') ?? '',
      /^inline; filename="boardsharp-[0-9a-f]{8}-original\.jpeg"$/,
    );
    const etag = original.headers.get('etag') ?? '';
    const headers = { 'If-None-Match': etag };
    assert.equal((await fetch(`${url}/v1/upscales/${sent.id}/original`, { headers })).status, 304);
  });

  await t.test('events tell every state up to the end', async () => {
    const { id } = await client.createUpscale(await photo(200, 150), { scale: 2 });
    const states = await collect(client.followUpscale(id));
    assert.equal(states.at(-1)?.status, 'done');
    const progress = states.map((state) => state.progress);
    assert.deepEqual(progress, progress.toSorted());
  });

  await t.test('an image that only looks like one fails with a reason', async () => {
    const cut = (await photo(200, 150)).slice(0, 3000);
    const { id } = await client.createUpscale(cut);
    const end = await untilEnd(client, id);
    assert.deepEqual([end.status, end.error?.code, end.output], ['failed', 'IMAGE_BROKEN', null]);
    await assertProblem(await fetch(`${url}/v1/upscales/${id}/result`), 409, 'RESULT_NOT_READY');
  });

  await t.test('erasing takes photo and result, and can be repeated', async () => {
    const { id } = await client.createUpscale(await photo());
    await untilEnd(client, id);
    await client.deleteUpscale(id);
    await client.deleteUpscale(id);
    for (const name of ['original', 'result']) {
      await assertProblem(await fetch(`${url}/v1/upscales/${id}/${name}`), 404, 'UPSCALE_NOT_FOUND');
    }
  });
});

test('what makes no sense is refused and leaves nothing behind; photos that are fine wait in their order', async (t) => {
  const limits = { MAX_INPUT_BYTES: '20000', MAX_INPUT_PIXELS: '40000' };
  const { url, client, folder } = await openTestService(t, limits, API_ONLY);
  const good = await photo();
  const post = (
    body: Uint8Array<ArrayBuffer> | string | null,
    query = '',
    headers: Record<string, string> = {},
  ) => fetch(`${url}/v1/upscales${query}`, { method: 'POST', body, headers });

  const cases: [string, number, string, () => Promise<Response>][] = [
    ['no body', 415, 'INPUT_EMPTY', () => post(null)],
    ['an empty body', 415, 'INPUT_EMPTY', () => post(new Uint8Array(0))],
    ['text', 415, 'NOT_AN_IMAGE', () => post('hello')],
    ['JSON', 415, 'NOT_AN_IMAGE', () => post('{"a":1}', '', { 'Content-Type': 'application/json' })],
    ['a head without a picture', 422, 'IMAGE_BROKEN', () => post(good.slice(0, 10))],
    ['too many bytes', 413, 'TOO_MANY_BYTES', async () => post(await largePhoto('bytes'))],
    [
      'too many bytes in a form',
      413,
      'TOO_MANY_BYTES',
      async () => sendForm(url, { image: await largePhoto('bytes') }),
    ],
    ['too many pixels', 413, 'TOO_MANY_PIXELS', async () => post(await largePhoto('pixels'))],
    ['an unknown scale', 400, 'INVALID_REQUEST', () => post(good, '?scale=3')],
    ['an unknown word', 400, 'INVALID_REQUEST', () => post(good, '?scal=2')],
    ['an unknown model', 400, 'MODEL_UNKNOWN', () => post(good, '?model=none')],
    ['a model of another scale', 400, 'MODEL_UNKNOWN', () => post(good, '?model=boardsharp-x2&scale=4')],
    ['an unknown model in a form', 400, 'MODEL_UNKNOWN', () => sendForm(url, { image: good, model: 'x' })],
    ['an unknown field', 400, 'INVALID_REQUEST', () => sendForm(url, { image: good, colour: 'red' })],
    ['a form without a photo', 400, 'INVALID_REQUEST', () => sendForm(url, { scale: '2' })],
    ['a photo in another field', 400, 'INVALID_REQUEST', () => sendForm(url, { photo: good })],
    [
      'half a form',
      400,
      'INVALID_REQUEST',
      () => post('--x\r\nContent', '', { 'Content-Type': 'multipart/form-data; boundary=x' }),
    ],
    [
      'a form without a boundary',
      400,
      'INVALID_REQUEST',
      () => post('--x', '', { 'Content-Type': 'multipart/form-data' }),
    ],
    [
      'a key that is too long',
      400,
      'INVALID_REQUEST',
      () => post(good, '', { 'Idempotency-Key': 'k'.repeat(201) }),
    ],
    ['a wait that is too long', 400, 'INVALID_REQUEST', () => fetch(`${url}/v1/upscales/x?wait=61`)],
    ['an id that is none', 404, 'UPSCALE_NOT_FOUND', () => fetch(`${url}/v1/upscales/x`)],
    ['an id nobody has', 404, 'UPSCALE_NOT_FOUND', () => fetch(`${url}/v1/upscales/${crypto.randomUUID()}`)],
    ['an address that is none', 404, 'NO_SUCH_PAGE', () => fetch(`${url}/v1/nothing`)],
    ['an address that is no text', 400, 'INVALID_REQUEST', () => fetch(`${url}/v1/upscales/%ff`)],
    ['a way out of the page', 404, 'NO_SUCH_PAGE', () => fetch(`${url}/..%2fpackage.json`)],
  ];
  for (const [name, status, code, send] of cases) {
    await t.test(name, async () => assertProblem(await send(), status, code));
  }
  await t.test('what is wrong is named, with what is right', async () => {
    for (const [send, told] of [
      [() => post(good, '?format=gif'), 'the query: format must be one of jpeg, png, webp'],
      [() => post(good, '?scal=2'), 'the query: scal is not known'],
      [() => sendForm(url, { image: good, scale: '3' }), 'the form: scale must be one of 2, 4'],
      [() => sendForm(url, { image: good, colour: 'red' }), 'the form: colour is not known'],
    ] as const) {
      assert.equal(((await (await send()).json()) as Problem).detail, told);
    }
  });
  assert.deepEqual(filesUnder(folder), []);

  const first = await client.createUpscale(await photo(), { idempotencyKey: 'one' });
  const second = await client.createUpscale(await photo(), { idempotencyKey: 'two' });
  assert.deepEqual([first.status, first.position, second.position], ['queued', 1, 2]);

  await t.test('the same key gives the same upscale, also at the same time', async () => {
    const again = await client.createUpscale(await photo(), { idempotencyKey: 'one' });
    assert.equal(again.id, first.id);
    const bytes = await photo();
    const sends = Array.from({ length: 8 }, () => client.createUpscale(bytes, { idempotencyKey: 'three' }));
    const ids = new Set((await Promise.all(sends)).map(({ id }) => id));
    assert.equal(ids.size, 1);
    assert.equal((await client.getUpscale(second.id)).position, 2);
  });

  await t.test('waiting ends after its time with how things stand', async () => {
    const startedAt = performance.now();
    const { status } = await client.getUpscale(first.id, { wait: 0.2 });
    assert.equal(status, 'queued');
    assert.ok(performance.now() - startedAt >= 190);
  });

  await t.test('a result asked for too early is a conflict', async () => {
    await assertProblem(await fetch(`${url}/v1/upscales/${first.id}/result`), 409, 'RESULT_NOT_READY');
  });

  await t.test('who waits is told of a cancellation at once, and the next moves up', async () => {
    const waiting = client.getUpscale(first.id, { wait: 20 });
    const following = collect(client.followUpscale(first.id));
    await client.deleteUpscale(first.id);
    assert.equal((await waiting).status, 'cancelled');
    assert.equal((await following).at(-1)?.status, 'cancelled');
    assert.equal((await client.getUpscale(second.id)).position, 1);
  });
});

test('images are kept in a bucket where S3 is set, and nowhere else', { skip: NO_S3_STORE }, async (t) => {
  const server = await startS3Store();
  t.after(() => server.stop());
  const { endpoint, bucket, accessKeyId, secretAccessKey } = server.config;
  const { url, client, folder } = await openTestService(t, {
    S3_ENDPOINT: endpoint,
    S3_BUCKET: bucket,
    S3_ACCESS_KEY_ID: accessKeyId.reveal(),
    S3_SECRET_ACCESS_KEY: secretAccessKey.reveal(),
  });
  const { id } = await client.createUpscale(await photo(), { scale: 2, format: 'png' });
  assert.equal((await untilEnd(client, id)).status, 'done');
  const original = await fetch(`${url}/v1/upscales/${id}/original`);
  assert.deepEqual(new Uint8Array(await original.arrayBuffer()), await photo());
  const { body } = await client.getResult(id);
  const result = await decode(new Uint8Array(await new Response(body).arrayBuffer()), 'png', {
    maxPixels: 1e6,
  });
  assert.equal(result.width, 96);
  assert.ok(!existsSync(join(folder, 'blobs')));
  assert.equal((await fetch(`${url}/health/ready`)).status, 200);
  await client.deleteUpscale(id);
  const blobs = await openS3Blobs(server.config);
  t.after(() => blobs.close());
  assert.deepEqual([await blobs.size(photoKey(id)), await blobs.size(resultKey(id))], [undefined, undefined]);
});

/** Every file of the blob store. */
function filesUnder(folder: string): string[] {
  const files = readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true });
  return files.filter((entry) => entry.isFile()).map(({ name }) => name);
}
