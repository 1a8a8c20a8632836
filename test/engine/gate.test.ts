/** The gate in the product: real threads, a picture of more than one window, and what is put into the result. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { enlargeBicubic } from '../../src/engine/bicubic.ts';
import { passGate } from '../../src/engine/gate.ts';
import { openPixelWork, type PixelWork } from '../../src/engine/pixel-work.ts';
import { createRaster, paste, type Raster } from '../../src/engine/pixels.ts';
import { largestDifference } from '../helpers/pictures.ts';
import { randomFrom } from '../helpers/seed.ts';
import { blur, drawPage, mapBytes, photograph, sharpen, writePage } from './drawn-board.ts';

const SCALE = 2;
/** Two windows beside each other, with the border between them in the middle. */
const WIDTH = 720;
const HEIGHT = 400;
const BORDER = WIDTH / 2;

/** A page, and a right result that differs from the base everywhere. */
function page(): { photo: Raster; right: Raster } {
  const random = randomFrom(20261123);
  const look = { dark: false, stroke: 1.4, strength: 1 };
  const truth = drawPage(WIDTH, HEIGHT, SCALE, writePage(WIDTH, HEIGHT, 9, random), look);
  return { photo: photograph(truth, SCALE, 0.6, 3, random), right: sharpen(blur(truth, 0.3), 1, 0.3) };
}

const { photo, right } = page();
const base = enlargeBicubic(photo, SCALE);

function openWork(t: TestContext): PixelWork {
  const work = openPixelWork();
  t.after(() => work.close());
  return work;
}

function copyOf(raster: Raster): Raster {
  return { ...raster, data: raster.data.slice() };
}

test('a right result stays as it is', async (t) => {
  const result = copyOf(right);
  const quality = await passGate(openWork(t), photo, result, SCALE);
  assert.equal(quality.verdict, 'accepted', JSON.stringify(quality));
  assert.deepEqual(result.data, right.data);
});

test('a blot across the border of two windows becomes the base, and nothing far from it changes', async (t) => {
  const result = copyOf(right);
  const blot = { left: BORDER - 9, top: 40, width: 18, height: 12 };
  paste(result, createRaster(blot.width * SCALE, blot.height * SCALE), blot.left * SCALE, blot.top * SCALE);
  const blotted = copyOf(result);
  const quality = await passGate(openWork(t), photo, result, SCALE);
  assert.equal(quality.verdict, 'softened', JSON.stringify(quality));
  assert.ok(quality.redBlocks >= 6, JSON.stringify(quality));
  const outside = { inside: 0, near: 0, far: 0 };
  for (let i = 0; i < result.data.length; i++) {
    if (result.data[i] === base.data[i] && result.data[i] === blotted.data[i]) continue;
    const pixel = Math.floor(i / 3);
    const x = (pixel % result.width) / SCALE;
    const y = Math.floor(pixel / result.width) / SCALE;
    const away = Math.max(
      blot.left - x,
      x - blot.left - blot.width,
      blot.top - y,
      y - blot.top - blot.height,
    );
    if (away < 0) {
      outside.inside++;
      assert.equal(result.data[i], base.data[i], `the base at ${x}, ${y}`);
    } else if (away > 24) {
      outside.far++;
      assert.equal(result.data[i], blotted.data[i], `untouched at ${x}, ${y}`);
    }
  }
  assert.ok(outside.inside > 0 && outside.far > 0);
});

test('a result that cannot be trusted is replaced by the base as a whole', async (t) => {
  const result = mapBytes(right, (value) => value * 0.9);
  const quality = await passGate(openWork(t), photo, result, SCALE);
  assert.equal(quality.verdict, 'fallback', JSON.stringify(quality));
  assert.equal(largestDifference(result, base), 0);
});

test('a signal that aborts leaves the result as it was', async (t) => {
  const work = openWork(t);
  const abort = new AbortController();
  const wrong = mapBytes(right, (value) => value * 0.9);
  const result = copyOf(wrong);
  let judged = 0;
  // The last window is judged, and nothing is put into the result yet.
  const counting: PixelWork = {
    ...work,
    async call(request, signal) {
      const response = await work.call(request, signal);
      if (request.kind === 'judge' && ++judged === 2) abort.abort();
      return response;
    },
  };
  const passing = passGate(counting, photo, result, SCALE, abort.signal);
  await assert.rejects(passing, { code: 'CANCELLED' });
  await assert.rejects(passGate(work, photo, result, SCALE, AbortSignal.abort()), { code: 'CANCELLED' });
  assert.equal(judged, 2);
  assert.deepEqual(result.data, wrong.data);
});
