/** How high letters are: drawn signs of known height, dark on light and light on dark, and boards without any. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateLetterHeight } from '../../src/engine/letter-height.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { drawNoise } from '../helpers/pictures.ts';
import { integer, seededRandom } from '../helpers/seed.ts';

/** Rows of boxes and forks, two strokes wide apart like letters, every fourth with an ascender. */
function drawSigns(xHeight: number, { ink = 40, board = 200, width = 400, height = 300 } = {}): Raster {
  const raster = { width, height, data: new Uint8Array(width * height * 3) };
  const set = (x: number, y: number, value: number): void => {
    if (x >= 0 && y >= 0 && x < width && y < height)
      raster.data.fill(value, (y * width + x) * 3, (y * width + x) * 3 + 3);
  };
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) set(x, y, board + (10 * x) / width);
  const pen = Math.max(1, Math.round(xHeight / 7));
  const wide = Math.max(3, Math.round(xHeight * 0.7));
  for (let line = 0, top = 2 * xHeight; top + 2 * xHeight < height; line++, top += 3 * xHeight) {
    for (let sign = 0, left = xHeight; left + 2 * wide < width; sign++, left += Math.round(1.5 * wide) + 2) {
      const from = sign % 4 === line % 4 ? top - Math.round(0.5 * xHeight) : top;
      for (let y = from; y < top + xHeight; y++) for (let p = 0; p < pen; p++) set(left + p, y, ink);
      for (let y = top; y < top + xHeight; y++) for (let p = 0; p < pen; p++) set(left + wide + p, y, ink);
      const bar = sign % 2 === 0 ? top : top + Math.round(xHeight / 2);
      for (let x = left; x < left + wide; x++) for (let p = 0; p < pen; p++) set(x, bar + p, ink);
    }
  }
  return raster;
}

test('letters of known height are measured, whichever is darker', () => {
  for (const colours of [{}, { ink: 220, board: 60 }]) {
    for (const xHeight of [5, 8, 12, 20, 30]) {
      const { typical } = estimateLetterHeight(drawSigns(xHeight, colours));
      assert.ok(
        typical !== null && typical > 0.6 * xHeight && typical < 1.4 * xHeight,
        `${typical} for ${xHeight}`,
      );
    }
  }
});

test('a large board is judged by parts of it', () => {
  const { typical } = estimateLetterHeight(drawSigns(12, { width: 2000, height: 1500 }));
  assert.ok(typical !== null && typical > 8 && typical < 16, `${typical}`);
});

test('where there is no writing no height is made up', (t) => {
  const random = seededRandom(t);
  const { width, height, data } = drawSigns(10);
  const nothing = { typical: null, small: null };
  assert.deepEqual(
    estimateLetterHeight({ width, height, data: new Uint8Array(data.length).fill(180) }),
    nothing,
  );
  assert.deepEqual(estimateLetterHeight({ width: 8, height: 8, data: new Uint8Array(192) }), nothing);
  const grain = drawNoise(integer(random, 200, 400), integer(random, 200, 400), random);
  // A board with a little noise, not a picture of noise.
  const board = { ...grain, data: grain.data.map((value) => 180 + Math.round((value - 128) / 16)) };
  assert.deepEqual(estimateLetterHeight(board), nothing);
});
