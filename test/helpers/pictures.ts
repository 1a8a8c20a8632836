/** Small synthetic photos of boards, and the distances that pictures are compared by. */
import type { Raster } from '../../src/engine/pixels.ts';

/** A board with slanted strokes, a light gradient and a little noise. */
export function drawBoard(width: number, height: number, random: () => number = () => 0.5): Raster {
  const data = new Uint8Array(width * height * 3);
  const period = 11 + Math.floor(random() * 9);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const board = 190 + (40 * x) / width - (30 * y) / height;
      const onStroke = (x + 2 * y) % period < 2 || (((3 * x - y) % 29) + 29) % 29 < 2;
      for (let c = 0; c < 3; c++, at++) data[at] = (onStroke ? 50 + 30 * c : board) + 6 * random();
    }
  }
  return { width, height, data };
}

/** Every value drawn anew: the hardest picture for seams. */
export function drawNoise(width: number, height: number, random: () => number): Raster {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => 256 * random()) };
}

/** The largest difference of any value, in 1/255. Throws when the sizes differ. */
export function largestDifference(a: Raster, b: Raster): number {
  assertSameSize(a, b);
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] ?? 0))), 0);
}

/** The mean absolute difference of all values, in 1/255. */
export function meanDifference(a: Raster, b: Raster): number {
  assertSameSize(a, b);
  return a.data.reduce((sum, value, i) => sum + Math.abs(value - (b.data[i] ?? 0)), 0) / a.data.length;
}

/** The pixel at (x, y). */
export function pixelAt({ width, data }: Raster, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

function assertSameSize(a: Raster, b: Raster): void {
  if (a.width === b.width && a.height === b.height) return;
  throw new Error(`${a.width}×${a.height} cannot be compared with ${b.width}×${b.height}`);
}
