/** The errors that calibration plants are what their names say, and change nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inkOf, LETTER_PLANTS, lettersOf, WHOLE_PLANTS } from '../../scripts/gate-plants.ts';
import { CHANNELS, type Raster } from '../../src/engine/pixels.ts';
import { randomFrom } from '../helpers/seed.ts';
import { drawPage, writePage } from './drawn-board.ts';

const SCALE = 2;
const [WIDTH, HEIGHT] = [160, 30];
const marks = writePage(WIDTH, HEIGHT, 10, randomFrom(7));
const truth = drawPage(WIDTH, HEIGHT, SCALE, marks, { dark: false, stroke: 1.5, strength: 1 });
const box = [0, 0, WIDTH * SCALE, HEIGHT * SCALE] as const;
const line = { text: '', language: 'en', box, xHeight: 10 };
const ink = inkOf(truth, [line]);
const letters = lettersOf(ink, truth.width, line, SCALE);

test('letters are found one by one', () => {
  // Broken ones (i) are no letters of their own size; all others stand alone on this page.
  const whole = marks.filter(({ letter }) => !'i+='.includes(letter));
  assert.ok(letters.length >= 0.8 * whole.length, `${letters.length} of ${whole.length}`);
  for (const { box: found } of letters) assert.ok(found.height > 14 && found.height < 44);
});

test('a plant at a letter changes pixels at that letter alone', () => {
  let planted = 0;
  for (const letter of letters) {
    for (const [name, change] of Object.entries(LETTER_PLANTS)) {
      const changed = change({ result: truth, letter, others: letters, ink, scale: SCALE });
      if (changed === null) continue;
      planted++;
      const pixels = differing(truth, changed);
      assert.ok(pixels.length > 0, name);
      const reach = 3 * letter.box.height;
      for (const { x, y } of pixels) {
        const [right, bottom] = [letter.box.left + letter.box.width, letter.box.top + letter.box.height];
        assert.ok(x > letter.box.left - reach && x < right + reach, name);
        assert.ok(y > letter.box.top - reach && y < bottom + reach, name);
      }
    }
  }
  assert.ok(planted > 3 * letters.length);
});

test('an erased letter leaves board, a half erased one its upper half, a replaced one another letter', () => {
  const [letter] = letters;
  assert.ok(letter);
  const inside = (raster: Raster, from: number, to: number): number => {
    let sum = 0;
    for (let y = Math.round(from * letter.box.height); y < to * letter.box.height; y++)
      for (let x = 0; x < letter.box.width; x++)
        sum +=
          Number(raster.data[((letter.box.top + y) * raster.width + letter.box.left + x) * CHANNELS]) < 140
            ? 1
            : 0;
    return sum;
  };
  const place = { result: truth, letter, others: letters, ink, scale: SCALE };
  const erased = LETTER_PLANTS.erased?.(place);
  const half = LETTER_PLANTS['half erased']?.(place);
  assert.ok(erased && half);
  assert.ok(inside(truth, 0, 0.4) > 0 && inside(truth, 0.6, 1) > 0);
  assert.equal(inside(erased, 0, 1), 0);
  assert.equal(inside(half, 0.6, 1), 0);
  assert.equal(inside(half, 0, 0.4), inside(truth, 0, 0.4));
  const replaced = letters.flatMap((one) => LETTER_PLANTS.replaced?.({ ...place, letter: one }) ?? []);
  assert.ok(replaced.length > 0);
});

test('plants of the whole do what their names say', () => {
  const level = (raster: Raster, x: number, c: number): number =>
    raster.data[(4 * raster.width + x) * CHANNELS + c] as number;
  const tinted = WHOLE_PLANTS['tint of 3 %']?.(truth, SCALE);
  assert.ok(tinted);
  assert.ok(Math.abs(level(tinted, 4, 0) / level(truth, 4, 0) - 0.97) < 0.005);
  assert.equal(level(tinted, 4, 1), level(truth, 4, 1));
  const shifted = WHOLE_PLANTS['shift by half a photo pixel']?.(truth, SCALE);
  assert.ok(shifted);
  const row = truth.width * CHANNELS;
  assert.deepEqual(shifted.data.slice(row, 2 * row), truth.data.slice(0, row));
  const seam = WHOLE_PLANTS['seam: the right half one result pixel lower']?.(truth, SCALE);
  assert.ok(seam);
  assert.ok(differing(truth, seam).every(({ x }) => x >= truth.width / 2));
});

function differing(one: Raster, two: Raster): { x: number; y: number }[] {
  return [...one.data.keys()]
    .filter((i) => i % CHANNELS === 0 && one.data[i] !== two.data[i])
    .map((i) => ({ x: (i / CHANNELS) % one.width, y: Math.floor(i / CHANNELS / one.width) }));
}
