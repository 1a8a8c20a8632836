import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { enlargeBicubic } from '../../src/engine/bicubic.ts';
import type { Kept } from '../../src/engine/damping.ts';
import { type Inference, type Network, openInference } from '../../src/engine/inference.ts';
import { loadCatalogue, type Model } from '../../src/engine/models.ts';
import { openPixelWork } from '../../src/engine/pixel-work.ts';
import { createRaster, paste, type Raster } from '../../src/engine/pixels.ts';
import { planTiles } from '../../src/engine/tiles.ts';
import { networkOf } from '../../src/engine/upscale.ts';
import { openLog } from '../../src/log.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard, drawNoise, largestDifference } from '../helpers/pictures.ts';
import { integer, seededRandom } from '../helpers/seed.ts';

const log = openLog({ level: 'silent', format: 'json' });
const catalogue = await loadCatalogue({ modelsDir: '/nonexistent' });
const OURS = [...catalogue.models.values()].filter(({ source }) => source.kind === 'embedded');

function open(t: TestContext, executionProvider: 'cpu' | 'webgpu' | 'auto' = 'cpu'): Inference {
  const pixelWork = openPixelWork();
  const inference = openInference({ executionProvider, pixelWork, log });
  t.after(() => Promise.all([inference.close(), pixelWork.close()]));
  return inference;
}

function networkFor(model: Model): Network {
  assert.notEqual(model.source.kind, 'hub');
  return networkOf(model, 'path' in model.source ? model.source.path : '');
}

async function enlargeAll(
  inference: Inference,
  model: Model,
  photo: Raster,
  tilePixels: number,
  halo = model.halo,
): Promise<Raster> {
  const result = createRaster(photo.width * model.scale, photo.height * model.scale);
  const rules = { halo, multiple: model.input.multiple, tilePixels };
  for (const tile of planTiles(photo.width, photo.height, rules)) {
    const { raster } = await inference.enlargeTile(networkFor(model), photo, tile);
    paste(result, raster, tile.keep.left * model.scale, tile.keep.top * model.scale);
  }
  return result;
}

/** Most a side may be read at once here: the halo on both sides and a little to keep. */
const SIDE = 94;

for (const model of OURS) {
  test(`${model.name}: tiles give the untiled picture to within 1/255, from 1×1 up`, async (t) => {
    const random = seededRandom(t);
    const inference = open(t);
    const sizes = [
      [1, 1],
      [1, integer(random, 95, 130)],
      [integer(random, 95, 240), integer(random, 2, 9)],
      [integer(random, 10, 40), integer(random, 95, 160)],
      ...Array.from({ length: 4 }, () => [integer(random, 60, 150), integer(random, 60, 150)]),
    ];
    for (const [width = 1, height = 1] of sizes) {
      const photo = random() < 0.5 ? drawNoise(width, height, random) : drawBoard(width, height, random);
      const tilePixels = Math.min(width, SIDE) * Math.min(height, SIDE);
      const rules = { halo: model.halo, multiple: model.input.multiple, tilePixels };
      const tiles = planTiles(width, height, rules).length;
      if (Math.max(width, height) > SIDE) assert.ok(tiles > 1, `${width}×${height} is one tile`);
      const whole = await enlargeAll(inference, model, photo, Number.POSITIVE_INFINITY);
      const tiled = await enlargeAll(inference, model, photo, tilePixels);
      assert.ok(largestDifference(tiled, whole) <= 1, `${width}×${height} in ${tiles} tiles`);
    }
    const photo = drawNoise(120, 120, random);
    const whole = await enlargeAll(inference, model, photo, Number.POSITIVE_INFINITY);
    const seams = await enlargeAll(inference, model, photo, 100 * 100, 0);
    assert.ok(largestDifference(seams, whole) > 1, 'without a halo there would be seams');
  });

  test(`${model.name}: computes what PyTorch computed`, async (t) => {
    const file = new URL(`../fixtures/${model.name.replace('boardsharp', 'parity')}.json`, import.meta.url);
    const { width, height, input, correction } = JSON.parse(readFileSync(file, 'utf8'));
    const planar = Buffer.from(input, 'base64');
    const photo = createRaster(width, height);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) photo.data[i * 3 + c] = planar[c * width * height + i] ?? 0;
    }
    const bytes = Buffer.from(correction, 'base64');
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const base = enlargeBicubic(photo, model.scale);
    const { raster } = await open(t).enlargeTile(networkFor(model), photo, onlyTile(photo));
    const pixels = base.width * base.height;
    let worst = 0;
    for (let i = 0; i < pixels; i++) {
      for (let c = 0; c < 3; c++) {
        const below = base.data[i * 3 + c] ?? 0;
        // Where the base overshoots, its 8 bits do not tell by how much.
        if (below === 0 || below === 255) continue;
        const wanted = Math.min(255, Math.max(0, below + 255 * (expected[c * pixels + i] ?? 0)));
        worst = Math.max(worst, Math.abs((raster.data[i * 3 + c] ?? 0) - wanted));
      }
    }
    // The base is rounded once more here than in the engine.
    assert.ok(worst <= 1.1, `off by ${worst}`);
  });
}

test('a share of the correction is kept where it is asked for, whenever it is known', async (t) => {
  const [model] = OURS as [Model];
  const inference = open(t);
  // Noise that is no grain: it counts as writing all over.
  const photo = drawNoise(48, 32, seededRandom(t));
  const grain = 1;
  const { promise, resolve } = Promise.withResolvers<Kept>();
  const enlarge = async (kept?: Promise<Kept>) =>
    (await inference.enlargeTile(networkFor(model), photo, onlyTile(photo), kept && { kept })).raster.data;
  const later = enlarge(promise);
  const whole = await enlarge();
  resolve({ share: 0.5, grain });
  const half = await later;
  const none = await enlarge(Promise.resolve({ share: 0, grain }));
  const base = enlargeBicubic(photo, model.scale).data;
  assert.deepEqual(none, base);
  let moved = 0;
  for (const [i, value] of half.entries()) {
    const [all = 0, nothing = 0] = [whole[i], base[i]];
    moved = Math.max(moved, Math.abs(all - nothing));
    // A whole correction that ends at black or white does not tell how far it went.
    if (all > 0 && all < 255 && nothing > 0 && nothing < 255) {
      assert.ok(Math.abs(value - (all + nothing) / 2) <= 1, `${value} between ${nothing} and ${all}`);
    }
  }
  assert.ok(moved > 10, 'the network has something to say');
});

test('a network that is no network, or not the one described, is told apart', async (t) => {
  const folder = temporaryFolder(t);
  const [model] = OURS as [Model];
  const good = networkFor(model);
  const garbage = join(folder, 'garbage.onnx');
  writeFileSync(garbage, 'not a network');
  const copy = join(folder, 'copy.onnx');
  copyFileSync(good.path, copy);
  const inference = open(t);
  const photo = drawBoard(16, 16);
  const run = (network: Network) => inference.enlargeTile(network, photo, onlyTile(photo));
  await assert.rejects(run({ ...good, path: garbage }), { code: 'MODEL_CORRUPT' });
  await assert.rejects(run({ ...good, path: copy, input: 'pixels' }), {
    code: 'MODEL_MISFIT',
    message: /pixels/,
  });
  await assert.rejects(run({ ...good, path: copy, output: 'picture' }), {
    code: 'MODEL_MISFIT',
    message: /picture/,
  });
  await assert.rejects(run({ ...good, path: copy, scale: 3 }), {
    code: 'MODEL_MISFIT',
    message: /1,3,48,48/,
  });
  // One photo's failure is not the next one's.
  assert.equal((await run(good)).raster.width, 16 * model.scale);
});

test('an execution provider that is not there is named; auto runs all the same', async (t) => {
  const [model] = OURS as [Model];
  const device = await open(t, 'auto').prepare(networkFor(model));
  assert.ok(device.reason.length > 0);
  if (device.provider === 'webgpu') return;
  await open(t, 'webgpu')
    .prepare(networkFor(model))
    .then(
      () => t.diagnostic('WebGPU works here, but auto did not take it'),
      (error) => assert.equal(error.code, 'PROVIDER'),
    );
});

function onlyTile(photo: Raster) {
  const all = { left: 0, top: 0, width: photo.width, height: photo.height };
  return { read: all, keep: all };
}
