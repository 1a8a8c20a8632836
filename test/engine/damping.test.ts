/** Where a correction counts less: at writing, faint as well as firm, and not at noise, wherever tiles are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grainOf, keptMap, keptShare } from '../../src/engine/damping.ts';
import { CHANNELS, createRaster, cutOut, type Raster } from '../../src/engine/pixels.ts';
import { seededRandom } from '../helpers/seed.ts';

const [WIDTH, HEIGHT] = [200, 120];
/** Strokes of two pixels, in three columns of letters, the middle one faint. */
const STROKES = [
  { left: 20, contrast: 120 },
  { left: 90, contrast: 25 },
  { left: 160, contrast: 60 },
];
const isInk = (x: number, y: number, left: number): boolean =>
  x >= left && x < left + 16 && y % 12 < 8 && (x - left) % 6 < 2;

/** A board of grey 190 with writing, under noise of this deviation in 1/255. */
function board(noise: number, random: () => number): Raster {
  const picture = createRaster(WIDTH, HEIGHT);
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const ink = STROKES.find(({ left }) => isInk(x, y, left))?.contrast ?? 0;
      const deviate = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      for (let c = 0; c < CHANNELS; c++) picture.data[at++] = Math.round(190 - ink + noise * deviate);
    }
  }
  return picture;
}

test('corrections of small letters are damped, of large ones whole', () => {
  const damping = { share: 0.5, smallPixels: 8, largePixels: 12 };
  const heights = [null, 3, 8, 10, 12, 30];
  assert.deepEqual(
    heights.map((height) => keptShare(damping, height)),
    [0.5, 0.5, 0.5, 0.75, 1, 1],
  );
  assert.equal(keptShare(undefined, 3), 1);
});

for (const noise of [0, 3, 6]) {
  test(`writing keeps its share and bare board all, under noise of ${noise}`, (t) => {
    const picture = board(noise, seededRandom(t));
    const shares = keptMap(picture, { share: 0.5, grain: grainOf(picture) });
    let [bare, whole] = [0, 0];
    for (let y = 0, at = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++, at++) {
        const kept = shares[at] ?? 0;
        const stroke = STROKES.find(({ left }) => isInk(x, y, left));
        // Four deviations of the noise are not surely writing, and no bare board.
        const most = (stroke?.contrast ?? 0) < 5 * noise ? 0.7 : 0.52;
        if (stroke !== undefined) assert.ok(kept < most, `${kept} at ${x}, ${y}`);
        if (STROKES.some(({ left }) => x > left - 9 && x < left + 25)) continue;
        bare++;
        if (kept > 0.9) whole++;
      }
    }
    assert.ok(whole > 0.9 * bare, `${whole} of ${bare} bare pixels`);
  });
}

test('grain grows with the noise, and is the same whatever is written', (t) => {
  const random = seededRandom(t);
  const [none, some, more] = [0, 3, 6].map((noise) => grainOf(board(noise, random)));
  assert.equal(none, 1);
  assert.ok(some !== undefined && more !== undefined && more > 1.5 * some && some > 1);
});

test('a crop without any bare board is writing all over', (t) => {
  const picture = cutOut(board(3, seededRandom(t)), { left: 20, top: 0, width: 14, height: 7 });
  const shares = keptMap(picture, { share: 0.5, grain: grainOf(picture) });
  for (const kept of shares) assert.ok(kept < 0.55, String(kept));
});

test('a part of a photo has the shares of the whole, from 7 pixels off its edges', (t) => {
  const picture = board(4, seededRandom(t));
  const kept = { share: 0.3, grain: grainOf(picture) };
  const part = { left: 60, top: 30, width: 80, height: 50 };
  const [whole, cut] = [keptMap(picture, kept), keptMap(cutOut(picture, part), kept)];
  for (let y = 7; y < part.height - 7; y++) {
    for (let x = 7; x < part.width - 7; x++) {
      assert.equal(cut[y * part.width + x], whole[(part.top + y) * WIDTH + part.left + x]);
    }
  }
});
