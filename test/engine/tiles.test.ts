import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planTiles } from '../../src/engine/tiles.ts';
import { integer, seededRandom } from '../helpers/seed.ts';

const CASES = [
  { size: [1, 1], rules: { halo: 30, multiple: 2, tilePixels: 700_000 }, tiles: 1 },
  { size: [320, 240], rules: { halo: 30, multiple: 2, tilePixels: 700_000 }, tiles: 1 },
  { size: [1280, 960], rules: { halo: 30, multiple: 2, tilePixels: 700_000 }, tiles: 2 },
  { size: [960, 1280], rules: { halo: 30, multiple: 2, tilePixels: 700_000 }, tiles: 2 },
  { size: [64, 64], rules: { halo: 0, multiple: 8, tilePixels: 1024 }, tiles: 4 },
] as const;

for (const { size, rules, tiles } of CASES) {
  const [width, height] = size;
  test(`${width}×${height} with halo ${rules.halo} and ${rules.tilePixels} pixels a tile gives ${tiles}`, () => {
    assert.equal(planTiles(width, height, rules).length, tiles);
  });
}

test('any photo: each pixel is kept once, with its halo read, in phase and within the limit', (t) => {
  const random = seededRandom(t);
  for (let round = 0; round < 200; round++) {
    const width = integer(random, 1, 300);
    const height = integer(random, 1, 300);
    const multiple = [1, 2, 8][integer(random, 0, 2)] as number;
    const halo = multiple * integer(random, 0, 4);
    const tilePixels = integer(random, (96 + 2 * halo) ** 2, 40_000);
    const label = JSON.stringify({ width, height, multiple, halo, tilePixels });
    const kept = new Uint8Array(width * height);
    for (const { keep, read } of planTiles(width, height, { halo, multiple, tilePixels })) {
      assert.equal(read.left % multiple, 0, label);
      assert.equal(read.top % multiple, 0, label);
      assert.ok(read.width * read.height <= tilePixels, label);
      assert.equal(read.left, Math.max(0, keep.left - halo), label);
      assert.equal(read.top, Math.max(0, keep.top - halo), label);
      assert.equal(read.left + read.width, Math.min(width, keep.left + keep.width + halo), label);
      assert.equal(read.top + read.height, Math.min(height, keep.top + keep.height + halo), label);
      for (let y = keep.top; y < keep.top + keep.height; y++) {
        for (let x = keep.left; x < keep.left + keep.width; x++) {
          const at = y * width + x;
          kept[at] = (kept[at] ?? 0) + 1;
        }
      }
    }
    assert.ok(
      kept.every((times) => times === 1),
      label,
    );
  }
});

test('a limit that no halo fits into still covers the photo', () => {
  const tiles = planTiles(100, 70, { halo: 32, multiple: 2, tilePixels: 1 });
  const area = tiles.reduce((sum, { keep }) => sum + keep.width * keep.height, 0);
  assert.equal(area, 7000);
});
