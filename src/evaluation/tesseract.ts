/** The doorway to Tesseract, a program of the system: reads crops of lines as text. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encode } from '../engine/image-codec.ts';
import { CHANNELS, createRaster, type Raster } from '../engine/pixels.ts';
import type { Luma } from './picture-scores.ts';

const run = promisify(execFile);
const ARGUMENTS = ['--oem', '1', '--psm', '7', '-l', 'rus+eng'];
/** One thread per reader: several readers share the cores better than one reader does. */
const PREFIX = ['OMP_THREAD_LIMIT=1', 'tesseract'];
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/** The version that reads Russian and English; undefined where it or one of the languages is not installed. */
export async function findTesseract(): Promise<string | undefined> {
  try {
    const [{ stdout: version }, { stdout: languages }] = await Promise.all([
      run('tesseract', ['--version']),
      run('tesseract', ['--list-langs']),
    ]);
    const known = languages.split('\n').map((line) => line.trim());
    return known.includes('rus') && known.includes('eng') ? version.split('\n', 1)[0] : undefined;
  } catch {
    return undefined;
  }
}

/** The text of every crop in order, read by `jobs` processes at once. */
export async function readLines(
  crops: readonly Luma[],
  jobs: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'boardsharp-read-'));
  const texts = crops.map(() => '');
  try {
    const parts = Array.from({ length: Math.min(jobs, crops.length) }, (_, part) => part);
    const readings = await Promise.allSettled(
      parts.map(async (part) => {
        const indices = [...crops.keys()].filter((index) => index % parts.length === part);
        const files = indices.map((index) => join(folder, `${index}.png`));
        for (const [i, index] of indices.entries()) {
          await writeFile(files[i] as string, await encode(rasterOf(crops[index] as Luma), 'png'));
        }
        const listing = join(folder, `list-${part}.txt`);
        await writeFile(listing, `${files.join('\n')}\n`);
        const options = { signal, maxBuffer: MAX_TEXT_BYTES };
        const { stdout } = await run('env', [...PREFIX, listing, 'stdout', ...ARGUMENTS], options);
        const pages = stdout.split('\f');
        for (const [i, index] of indices.entries()) {
          texts[index] = (pages[i] ?? '').split(/\s+/u).filter(Boolean).join(' ');
        }
      }),
    );
    // Only then: while one of them still writes, the folder cannot be removed, and that error would hide the first one's.
    const failed = readings.find((reading) => reading.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return texts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rasterOf({ width, height, data }: Luma): Raster {
  const raster = createRaster(width, height);
  for (const [i, value] of data.entries()) {
    raster.data.fill(Math.round(Math.min(255, Math.max(0, value))), i * CHANNELS, (i + 1) * CHANNELS);
  }
  return raster;
}
