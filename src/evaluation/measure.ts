/** Measures methods on boards with known truth, each (method, board) kept on disk so that a run goes on where it stopped. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enlargeBicubic } from '../engine/bicubic.ts';
import { decode } from '../engine/image-codec.ts';
import { sniffFormat } from '../engine/image-format.ts';
import type { Model } from '../engine/models.ts';
import type { Raster } from '../engine/pixels.ts';
import type { Upscaler } from '../engine/upscale.ts';
import { AppError } from '../errors.ts';
import { AGAIN } from './letter-scores.ts';
import { patientCrop, plainCrop } from './line-crops.ts';
import { comparePictures, lumaOf, type PictureScores } from './picture-scores.ts';
import { enlargeLanczos, reduceByArea } from './resample.ts';
import { readLines } from './tesseract.ts';
import type { TruthBoard, TruthFolder } from './truth-folder.ts';

/** Raise it when a measure changes: what was kept before is then measured again. */
const VERSION = 2;
const SAMPLE_MS = 50;
/** Enough for another reading; letters of 21 to 27 pixels are read alike (docs/experiments.md, 2026-11-26). */
const AGAIN_LARGER = 1.06;
/** Of the whole time, where there is a reader. */
const TIMES_SHARE = 0.1;

/** What one method made of one board. */
export interface Measured extends PictureScores {
  /** Text of each line; null where no reader is installed. */
  readonly plain: readonly string[] | null;
  readonly patient: readonly string[] | null;
  /** Milliseconds from the photo's pixels to the result's. */
  readonly ms: number;
  /** The most memory of the whole process seen meanwhile, in bytes. */
  readonly rssBytes: number;
}

/** One way to enlarge and to read. The id names everything that its pixels and readings depend on. */
export interface Method {
  readonly name: string;
  readonly id: string;
  /** How many times as large as usual the readers get its lines. */
  readonly readLarger: number;
  enlarge(board: TruthBoard): Promise<{ raster: Raster; ms: number }>;
}

export interface MeasureOptions {
  readonly cacheDir: string;
  /** The reader's version; undefined leaves the letters out. */
  readonly reader: string | undefined;
  readonly readerJobs: number;
  readonly maxPixels: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, label: string) => void;
}

/**
 * Bicubic, the same read once more, Lanczos, the models, and the truth itself as the best that any could do. Of a model
 * that enlarges by more the result is reduced by area, as the tools around such models do.
 */
export function planMethods(
  { scale }: TruthFolder,
  models: readonly Model[],
  upscaler: Upscaler,
  { maxPixels, signal }: Pick<MeasureOptions, 'maxPixels' | 'signal'>,
): Method[] {
  const plain = (name: string, enlarge: (photo: Raster) => Raster): Method => ({
    name,
    id: name,
    readLarger: 1,
    async enlarge(board) {
      const photo = await picture(board.photo, maxPixels);
      const startedAt = performance.now();
      return { raster: enlarge(photo), ms: performance.now() - startedAt };
    },
  });
  const bicubic = plain('bicubic', (photo) => enlargeBicubic(photo, scale));
  return [
    bicubic,
    { ...bicubic, name: AGAIN, id: `${AGAIN} ${AGAIN_LARGER}`, readLarger: AGAIN_LARGER },
    plain('lanczos', (photo) => enlargeLanczos(photo, scale)),
    ...models.map(
      (model): Method => ({
        name: model.name,
        id: JSON.stringify([model.name, model.sha256, model.damping]),
        readLarger: 1,
        async enlarge({ photo }) {
          const { bytes, timings } = await upscaler.upscale({
            ...{ bytes: photo, scale: model.scale, model: model.name, format: 'png', signal },
          });
          const { encode: _, decode: __, network: ___, ...steps } = timings;
          const result = await picture(bytes, maxPixels * model.scale ** 2);
          return {
            raster: model.scale === scale ? result : reduceByArea(result, model.scale / scale),
            // Without the reduction: there are faster ones than ours, which is not the model's fault.
            ms: Object.values(steps).reduce((sum, step) => sum + step, 0),
          };
        },
      }),
    ),
    {
      name: 'truth',
      id: 'truth',
      readLarger: 1,
      enlarge: async ({ truth }) => ({ raster: await picture(truth, maxPixels * scale ** 2), ms: 0 }),
    },
  ];
}

/** Measures every method on every board. @throws AppError naming the board that does not fit */
export async function measureAll(
  folder: TruthFolder,
  methods: readonly Method[],
  options: MeasureOptions,
): Promise<Map<string, Measured[]>> {
  const { cacheDir, signal, onProgress, reader } = options;
  await mkdir(cacheDir, { recursive: true });
  const tasks = folder.boards.flatMap((board) =>
    methods.map((method) => ({ board, method, path: join(cacheDir, nameOf(folder, board, method, reader)) })),
  );
  const all = new Map<string, Measured[]>(methods.map(({ name }) => [name, []]));
  // Times first: beside the readers, and for a while after them, everything takes twice as long.
  const times = new Map<string, number>();
  for (const [done, { board, method, path }] of tasks.entries()) {
    signal.throwIfAborted();
    onProgress((TIMES_SHARE * done) / tasks.length, `time of ${board.name}, ${method.name}`);
    if (!existsSync(path)) times.set(path, (await method.enlarge(board)).ms);
  }
  for (const [done, { board, method, path }] of tasks.entries()) {
    signal.throwIfAborted();
    const progress = TIMES_SHARE + ((1 - TIMES_SHARE) * done) / tasks.length;
    onProgress(progress, `${board.name}, ${method.name}`);
    const kept = await readFile(path, 'utf8').catch(() => undefined);
    if (kept !== undefined) {
      all.get(method.name)?.push(JSON.parse(kept) as Measured);
      continue;
    }
    const measured = { ...(await measure(folder.scale, board, method, options)), ms: times.get(path) ?? 0 };
    // Renamed into place: whoever is killed leaves no half-written file.
    await writeFile(`${path}.part`, JSON.stringify(measured));
    await rename(`${path}.part`, path);
    all.get(method.name)?.push(measured);
  }
  return all;
}

/** The file of one measurement: it names all that its figures depend on but the engine's own code. */
function nameOf(
  { scale }: TruthFolder,
  board: TruthBoard,
  method: Method,
  reader: string | undefined,
): string {
  const about = JSON.stringify([VERSION, scale, method.id, board.lines, reader ?? null]);
  const hash = createHash('sha256').update(about).update(board.photo).update(board.truth).digest('hex');
  return `${hash.slice(0, 32)}.json`;
}

async function measure(
  scale: number,
  board: TruthBoard,
  method: Method,
  { reader, readerJobs, maxPixels, signal }: MeasureOptions,
): Promise<Omit<Measured, 'ms'>> {
  let rssBytes = process.memoryUsage.rss();
  const sample = (): void => {
    rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, SAMPLE_MS);
  const { raster } = await method.enlarge(board).finally(() => clearInterval(timer));
  sample();
  const wanted = await picture(board.truth, maxPixels * scale ** 2);
  if (raster.width !== wanted.width || raster.height !== wanted.height) {
    const sizes = `${method.name} gives ${raster.width}×${raster.height}, the truth is ${wanted.width}×${wanted.height}`;
    throw new AppError('USAGE', `${board.name}: ${sizes}`, {
      action: `The truth must be ${scale} times the photo, and the photo no longer than MAX_INPUT_SIDE`,
    });
  }
  const [luma, truth] = [lumaOf(raster), lumaOf(wanted)];
  const scores = comparePictures(luma, truth, board.lines, scale);
  if (reader === undefined) return { ...scores, plain: null, patient: null, rssBytes };
  const crops = [
    ...board.lines.map((line) => plainCrop(luma, line, method.readLarger)),
    ...board.lines.map((line) => patientCrop(luma, line, scale, method.readLarger)),
  ];
  const texts = await readLines(crops, readerJobs, signal);
  const count = board.lines.length;
  return { ...scores, plain: texts.slice(0, count), patient: texts.slice(count), rssBytes };
}

async function picture(bytes: Uint8Array, maxPixels: number): Promise<Raster> {
  const format = sniffFormat(bytes);
  if (format === undefined) throw new AppError('NOT_AN_IMAGE', 'a photo or truth of the folder');
  return await decode(bytes, format, { maxPixels });
}
