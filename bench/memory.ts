/**
 * Memory: the peak for one photo of 12 megapixels at x2, and whether it grows over many photos.
 *
 * npm run bench:memory -- [--photos 50]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.ts';
import { encode } from '../src/engine/image-codec.ts';
import { openEngine } from '../src/open-engine.ts';
import { drawBoard } from '../test/helpers/pictures.ts';

const MIB = 2 ** 20;
const { values } = parseArgs({ options: { photos: { type: 'string', default: '50' } } });
const photos = Number(values.photos);

const folder = mkdtempSync(join(tmpdir(), 'boardsharp-memory-'));
// 4032 pixels a side are let through unreduced: the setting's default would make the photo smaller first.
const settings = { DATA_DIR: folder, MAX_INPUT_SIDE: '4096', EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'warn' };
const engine = await openEngine(readConfig(settings));
try {
  const small = await encode(drawBoard(1280, 960), 'jpeg');
  const after: number[] = [];
  for (let index = 0; index < photos; index++) {
    await engine.upscaler.upscale({ bytes: small, scale: 2, format: 'jpeg' });
    after.push(process.memoryUsage().rss / MIB);
  }
  const part = Math.max(1, Math.floor(photos / 5));
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const early = mean(after.slice(part, 2 * part));
  const late = mean(after.slice(-part));
  console.log(
    `${photos} photos of 1280×960 at x2: ${early.toFixed(0)} MiB after the first fifth, ${late.toFixed(0)} MiB at the end`,
  );
  const large = await encode(drawBoard(4032, 3024), 'jpeg');
  const { output } = await engine.upscaler.upscale({ bytes: large, scale: 2, format: 'jpeg' });
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `one photo of 4032×3024 at x2 (${output.width}×${output.height}): peak ${peak.toFixed(0)} MiB (at most 1144, that is 1.2 GB)`,
  );
} finally {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
}
