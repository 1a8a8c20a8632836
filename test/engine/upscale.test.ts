import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { enlargeBicubic } from '../../src/engine/bicubic.ts';
import { decode, encode } from '../../src/engine/image-codec.ts';
import type { Inference } from '../../src/engine/inference.ts';
import { LONGEST_SIDE_FOR_X4, loadCatalogue } from '../../src/engine/models.ts';
import { openPixelWork } from '../../src/engine/pixel-work.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { planTiles } from '../../src/engine/tiles.ts';
import { createUpscaler, STEPS } from '../../src/engine/upscale.ts';
import { AppError } from '../../src/errors.ts';
import { openTestEngine, png, temporaryFolder } from '../helpers/engine.ts';
import { drawBoard, drawNoise, largestDifference, meanDifference } from '../helpers/pictures.ts';
import { randomFrom, seededRandom } from '../helpers/seed.ts';
import { drawPage, photograph, writePage } from './drawn-board.ts';

const SEED = 20261123;
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

test('TILE_PIXELS cuts a photo into smaller tiles, and the picture is the same', async (t) => {
  const bytes = await png(drawBoard(150, 110));
  const [whole, cut] = await Promise.all(
    [{}, { TILE_PIXELS: '10000' }].map(async (settings) => {
      const { upscaler } = await openTestEngine(t, settings);
      let tiles = 0;
      const onProgress = (): void => void tiles++;
      const result = await upscaler.upscale({ bytes, scale: 2, format: 'png', onProgress });
      return { tiles, picture: await decode(result.bytes, 'png', LIMIT) };
    }),
  );
  assert.ok(whole?.tiles === 1 && cut !== undefined && cut.tiles > 1, `${cut?.tiles} tiles`);
  assert.ok(largestDifference(whole.picture, cut.picture) <= 1);
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

test('stopping between tiles ends the work: the tiles that wait are not begun', async (t) => {
  const { upscaler } = await openTestEngine(t, ownModel(t, 10_000));
  const abort = new AbortController();
  const photo = drawBoard(300, 300);
  const tiles = planTiles(300, 300, { halo: 30, multiple: 2, tilePixels: 10_000 });
  assert.ok(tiles.length >= 25);
  let calls = 0;
  const work = upscaler.upscale({
    bytes: await png(photo),
    model: 'mine',
    format: 'jpeg',
    signal: abort.signal,
    onProgress: () => {
      calls++;
      abort.abort();
    },
  });
  await assert.rejects(work, { code: 'CANCELLED' });
  // Two were in work.
  assert.ok(calls <= 2, `${calls} of ${tiles.length} tiles were done`);
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

test('a photo of many tiles gives the picture of one tile to within 1/255', async (t) => {
  const { upscaler } = await openTestEngine(t, ownModel(t, 10_000));
  const random = randomFrom(SEED);
  const page = writePage(190, 150, 9, random).filter((_, i) => i % 3 === 0);
  const board = drawPage(190, 150, 2, page, { dark: false, stroke: 1.4, strength: 1 });
  const photo = photograph(board, 2, 0.7, 3, random);
  const bytes = await png(photo);
  const shares: number[] = [];
  const [tiled, whole] = [
    await upscaler.upscale({ bytes, model: 'mine', format: 'png', onProgress: (done) => shares.push(done) }),
    await upscaler.upscale({ bytes, model: 'boardsharp-x2', format: 'png' }),
  ];
  assert.ok(shares.length >= 9, `${shares.length} tiles`);
  const [picture, wanted] = [
    await decode(tiled.bytes, 'png', LIMIT),
    await decode(whole.bytes, 'png', LIMIT),
  ];
  assert.ok(largestDifference(picture, wanted) <= 1);
  assert.notEqual(tiled.quality.verdict, 'fallback', 'then both would be bicubic');
  assert.ok(largestDifference(picture, enlargeBicubic(photo, 2)) > 8);
});

test('a new model is data alone: a catalogue of your own is enough', async (t) => {
  const { upscaler } = await openTestEngine(t, { ...ownModel(t, 20_000), MODEL: 'mine' });
  const bytes = await png(drawBoard(60, 40));
  const result = await upscaler.upscale({ bytes, scale: 2, format: 'png' });
  assert.equal(result.model, 'mine');
  const usual = await upscaler.upscale({ bytes, format: 'png', model: 'boardsharp-x2' });
  assert.deepEqual(result.bytes, usual.bytes);
  // A preset of another scale than the one asked for gives way to that scale's default.
  assert.equal((await upscaler.upscale({ bytes, format: 'png', scale: 4 })).model, 'boardsharp-x4');
});

test('MODEL does not decide the scale: where it does not fit the photo, the default of the scale is used', async (t) => {
  for (const [preset, width, model, scale] of [
    ['boardsharp-x4', LONGEST_SIDE_FOR_X4 + 1, 'boardsharp-x2-quality', 2],
    ['boardsharp-x4-quality', 60, 'boardsharp-x4-quality', 4],
    ['boardsharp-x2', 60, 'boardsharp-x4', 4],
  ] as const) {
    const { upscaler } = await openTestEngine(t, { MODEL: preset });
    const result = await upscaler.upscale({ bytes: await png(drawBoard(width, 20)), format: 'png' });
    assert.deepEqual([result.model, result.scale], [model, scale], `${preset}, ${width} pixels`);
  }
});

test('a photo keeps the share of the correction that its letters allow, and another share is another plan', async (t) => {
  // Strokes all over: no bare board, which would keep all of the correction.
  const photo = drawNoise(60, 40, seededRandom(t));
  const plans = new Set<string>();
  const tileKeeper = {
    load: async (plan: string) => void plans.add(plan),
    save: async () => undefined,
  };
  const pictures = [];
  for (const share of [0, 1]) {
    const folder = ownModel(t, 20_000, { damping: { share, smallPixels: 1000, largePixels: 1001 } });
    const { upscaler } = await openTestEngine(t, folder);
    const result = await upscaler.upscale({
      bytes: await png(photo),
      model: 'mine',
      format: 'png',
      tileKeeper,
    });
    pictures.push(await decode(result.bytes, 'png', LIMIT));
  }
  const [none, all] = pictures as [Raster, Raster];
  assert.equal(largestDifference(none, enlargeBicubic(photo, 2)), 0);
  assert.ok(largestDifference(all, none) > 5);
  assert.equal(plans.size, 2);
});

test('a file is hashed again once the thread that held its network is gone', async (t) => {
  const folder = ownModel(t, 20_000).MODELS_DIR;
  const config = readConfig({ MODELS_DIR: folder });
  const pixelWork = openPixelWork();
  t.after(() => pixelWork.close());
  let crashes = false;
  const inference: Inference = {
    prepare: () => assert.fail('not needed'),
    close: async () => {},
    async enlargeTile({ scale }, photo) {
      if (crashes) throw new AppError('ENGINE_CRASHED', 'as told');
      return { raster: enlargeBicubic(photo, scale), runMs: 0 };
    },
  };
  const catalogue = await loadCatalogue(config);
  const upscaler = createUpscaler({ config, catalogue, inference, pixelWork });
  const bytes = await png(drawBoard(60, 40));
  const ask = () => upscaler.upscale({ bytes, model: 'mine', format: 'png' });
  await ask();
  writeFileSync(join(folder, 'mine.onnx'), 'another network');
  await ask();
  crashes = true;
  await assert.rejects(ask(), { code: 'ENGINE_CRASHED' });
  crashes = false;
  await assert.rejects(ask(), { code: 'MODEL_CORRUPT' });
});

/** Settings with a model of the user's own: our network for 2 as `mine`, in tiles of at most so many pixels. */
function ownModel(t: TestContext, tilePixels: number, changes: object = {}): { MODELS_DIR: string } {
  const modelsDir = temporaryFolder(t);
  const embedded = new URL('../../models/', import.meta.url);
  const { models } = JSON.parse(readFileSync(new URL('catalogue.json', embedded), 'utf8'));
  writeFileSync(join(modelsDir, 'mine.onnx'), readFileSync(new URL('boardsharp-x2.onnx', embedded)));
  const entry = { ...models['boardsharp-x2'], source: { file: 'mine.onnx' }, tilePixels, ...changes };
  writeFileSync(join(modelsDir, 'catalogue.json'), JSON.stringify({ models: { mine: entry } }));
  return { MODELS_DIR: modelsDir };
}
