import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enlarge, enlargeBicubic } from '../../src/engine/bicubic.ts';
import { toPlanes } from '../../src/engine/pixels.ts';
import { drawBoard, drawNoise, largestDifference, meanDifference } from '../helpers/pictures.ts';
import { integer, seededRandom } from '../helpers/seed.ts';

/** Keys' kernel summed directly in two dimensions: slow, and nothing to get wrong. */
function directly(source: ReturnType<typeof drawNoise>, scale: number): ReturnType<typeof drawNoise> {
  const keys = (x: number): number => {
    const d = Math.abs(x);
    if (d <= 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
    return d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
  };
  const { width, height, data } = source;
  const out = new Uint8Array(width * scale * height * scale * 3);
  let at = 0;
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const cy = (y + 0.5) / scale - 0.5;
      const cx = (x + 0.5) / scale - 0.5;
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let j = Math.floor(cy) - 1; j <= Math.floor(cy) + 2; j++) {
          for (let i = Math.floor(cx) - 1; i <= Math.floor(cx) + 2; i++) {
            const row = Math.min(height - 1, Math.max(0, j));
            const column = Math.min(width - 1, Math.max(0, i));
            sum += keys(cy - j) * keys(cx - i) * (data[(row * width + column) * 3 + c] ?? 0);
          }
        }
        out[at++] = Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
      }
    }
  }
  return { width: width * scale, height: height * scale, data: out };
}

for (const scale of [2, 3, 4]) {
  test(`enlarging by ${scale} is the sum over Keys' kernel, down to 1×1`, (t) => {
    const random = seededRandom(t);
    const sizes = [
      [1, 1],
      [1, 5],
      [2, 1],
      [integer(random, 3, 20), integer(random, 3, 20)],
    ] as const;
    for (const [width, height] of sizes) {
      const source = drawNoise(width, height, random);
      assert.ok(largestDifference(enlargeBicubic(source, scale), directly(source, scale)) <= 1);
    }
  });
}

test('a flat picture stays flat', () => {
  const flat = { width: 7, height: 5, data: new Uint8Array(7 * 5 * 3).fill(201) };
  assert.ok(enlargeBicubic(flat, 4).data.every((value) => value === 201));
});

test('a kept part is that part of the whole', (t) => {
  const random = seededRandom(t);
  const source = drawNoise(23, 17, random);
  const whole = enlargeBicubic(source, 2);
  const part = enlarge(source, 2, { left: 5, top: 3, width: 9, height: 8 }, null);
  for (let y = 0; y < part.height; y++) {
    const start = ((y + 6) * whole.width + 10) * 3;
    const row = part.data.subarray(y * part.width * 3, (y + 1) * part.width * 3);
    assert.deepEqual(row, whole.data.subarray(start, start + row.length));
  }
});

test('a correction is added before rounding, in the tensor own unit, beyond white and black cut off', () => {
  const source = drawBoard(12, 10);
  const plain = enlargeBicubic(source, 2);
  for (const white of [1, 255]) {
    const zero = { width: 24, height: 20, white, data: new Float32Array(24 * 20 * 3) };
    const all = { left: 0, top: 0, width: 12, height: 10 };
    const lift = (by: number) =>
      enlarge(source, 2, all, { ...zero, data: zero.data.map(() => (by * white) / 255) });
    assert.deepEqual(lift(0), plain);
    assert.ok(Math.abs(meanDifference(lift(20), plain) - 20) < 0.6);
    assert.ok(lift(300).data.every((value) => value === 255));
    assert.ok(lift(-300).data.every((value) => value === 0));
  }
});

test('planes are padded to a multiple by repeating the edge', () => {
  const planes = toPlanes({ width: 1, height: 1, data: Uint8Array.of(255, 51, 0) }, 2, 1);
  assert.deepEqual([planes.width, planes.height], [2, 2]);
  const expected = [1, 1, 1, 1, 0.2, 0.2, 0.2, 0.2, 0, 0, 0, 0];
  assert.ok(planes.data.every((value, i) => Math.abs(value - (expected[i] ?? 0)) < 1e-6));
});
