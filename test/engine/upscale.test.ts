import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { enlargeBicubic } from '../../src/engine/bicubic.ts';
import { decode, encode } from '../../src/engine/image-codec.ts';
import { STEPS } from '../../src/engine/upscale.ts';
import { openTestEngine, png, temporaryFolder } from '../helpers/engine.ts';
import { drawBoard, meanDifference } from '../helpers/pictures.ts';

const LIMIT = { maxPixels: 50_000_000 };

test('a crop comes back four times as large, a photo twice, and the result shows the same board', async (t) => {
  const { upscaler } = await openTestEngine(t);
  for (const [width, height, scale] of [
    [160, 120, 4],
    [1000, 90, 2],
  ] as const) {
    const photo = drawBoard(width, height);
    const shares: number[] = [];
    const bytes = await png(photo);
    const result = await upscaler.upscale({ bytes, format: 'png', onProgress: (done) => shares.push(done) });
    assert.equal(result.scale, scale);
    assert.deepEqual(result.input, { width, height, bytes: bytes.length, format: 'png' });
    assert.equal(result.output.width, width * scale);
    assert.equal(result.output.height, height * scale);
    assert.equal(result.output.bytes, result.bytes.length);
    assert.equal(result.reducedTo, null);
    assert.equal(shares.at(-1), 1);
    const picture = await decode(result.bytes, 'png', LIMIT);
    assert.ok(meanDifference(picture, enlargeBicubic(photo, scale)) < 20);
    assert.deepEqual(Object.keys(result.timings), [...STEPS, 'network']);
    assert.ok(['accepted', 'softened', 'fallback'].includes(result.quality.verdict));
  }
});

test('a 1×1 picture works at both scales', async (t) => {
  const { upscaler } = await openTestEngine(t);
  const bytes = await png({ width: 1, height: 1, data: Uint8Array.of(250, 250, 250) });
  for (const scale of [2, 4] as const) {
    const result = await upscaler.upscale({ bytes, scale, format: 'png' });
    assert.deepEqual([result.output.width, result.output.height], [scale, scale]);
  }
});

test('a longer photo is reduced first, and the result says so', async (t) => {
  const { upscaler } = await openTestEngine(t, { MAX_INPUT_SIDE: '64' });
  const result = await upscaler.upscale({ bytes: await png(drawBoard(200, 100)), scale: 2, format: 'jpeg' });
  assert.deepEqual(result.reducedTo, { width: 64, height: 32 });
  assert.deepEqual([result.output.width, result.output.height], [128, 64]);
});

test('what cannot be done is refused with its own code before the network runs', async (t) => {
  const { upscaler } = await openTestEngine(t, { MAX_INPUT_BYTES: '20000', MAX_INPUT_PIXELS: '10000' });
  const refuse = (bytes: Uint8Array, code: string, more: object = {}) =>
    assert.rejects(upscaler.upscale({ bytes, format: 'jpeg', ...more }), { code });
  await refuse(new Uint8Array(0), 'INPUT_EMPTY');
  await refuse(Buffer.from('these are no pixels'), 'NOT_AN_IMAGE');
  await refuse(
    Buffer.concat([await encode(drawBoard(9, 9), 'jpeg'), new Uint8Array(20_000)]),
    'TOO_MANY_BYTES',
  );
  await refuse(await encode(drawBoard(200, 51), 'jpeg'), 'TOO_MANY_PIXELS');
  const small = await encode(drawBoard(90, 60), 'jpeg');
  await refuse(small.subarray(0, small.length / 2), 'IMAGE_BROKEN');
  await refuse(small, 'MODEL_UNKNOWN', { model: 'esrgan' });
  await refuse(small, 'MODEL_UNKNOWN', { model: 'boardsharp-x2', scale: 4 });
  await refuse(small, 'CANCELLED', { signal: AbortSignal.abort() });
});

test('stopping between tiles ends the work', async (t) => {
  const { upscaler } = await openTestEngine(t);
  const abort = new AbortController();
  const bytes = await encode(drawBoard(1300, 1100), 'jpeg');
  const work = upscaler.upscale({
    bytes,
    scale: 2,
    format: 'jpeg',
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await assert.rejects(work, { code: 'CANCELLED' });
});

test('photos sent together are all done, each as if it were alone', async (t) => {
  const { upscaler } = await openTestEngine(t);
  const photos = await Promise.all([40, 50, 60, 70].map((side) => png(drawBoard(side, side))));
  const ask = (bytes: Uint8Array) => upscaler.upscale({ bytes, scale: 2, format: 'png' });
  const together = await Promise.all(photos.map(ask));
  for (const [index, bytes] of photos.entries()) {
    assert.deepEqual((await ask(bytes)).bytes, together[index]?.bytes);
  }
});

test('a new model is data alone: a catalogue of your own is enough', async (t) => {
  const modelsDir = temporaryFolder(t);
  const embedded = new URL('../../models/', import.meta.url);
  const { models } = JSON.parse(readFileSync(new URL('catalogue.json', embedded), 'utf8'));
  writeFileSync(join(modelsDir, 'mine.onnx'), readFileSync(new URL('boardsharp-x2.onnx', embedded)));
  const entry = { ...models['boardsharp-x2'], source: { file: 'mine.onnx' }, tilePixels: 20_000 };
  writeFileSync(join(modelsDir, 'catalogue.json'), JSON.stringify({ models: { mine: entry } }));
  const { upscaler } = await openTestEngine(t, { MODELS_DIR: modelsDir, MODEL: 'mine' });
  const bytes = await png(drawBoard(60, 40));
  const result = await upscaler.upscale({ bytes, format: 'png' });
  assert.equal(result.model, 'mine');
  const usual = await upscaler.upscale({ bytes, format: 'png', model: 'boardsharp-x2' });
  assert.deepEqual(result.bytes, usual.bytes);
  // A preset of another scale than the one asked for gives way to that scale's default.
  assert.equal((await upscaler.upscale({ bytes, format: 'png', scale: 4 })).model, 'boardsharp-x4');
});
