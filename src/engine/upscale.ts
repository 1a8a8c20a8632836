/** The pipeline from a photo's bytes to a readable picture's bytes, as a list of named steps. */
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Look } from '../job.ts';
import { keptShare } from './damping.ts';
import { passGate } from './gate.ts';
import { checkFits, decode, encode, readSize, reduce } from './image-codec.ts';
import { type InputFormat, type OutputFormat, sniffFormat } from './image-format.ts';
import type { Inference, Network } from './inference.ts';
import { locateModel } from './model-files.ts';
import { type Catalogue, chooseScale, type Model, modelFor, type Scale } from './models.ts';
import type { PixelWork } from './pixel-work.ts';
import { CHANNELS, createRaster, paste, type Raster, scaleRect } from './pixels.ts';
import type { Quality } from './quality-gate.ts';

import { planTiles, type Tile, type TileRules } from './tiles.ts';

/** Keeps finished tiles, so that work that was interrupted goes on where it was. `plan` names all they depend on. */
export interface TileKeeper {
  /** The pixels saved for this tile; undefined if there are none. */
  load(plan: string, index: number): Promise<Uint8Array | undefined>;
  /** Called while the next tile is already running; the tile counts as done after it. */
  save(plan: string, index: number, pixels: Uint8Array): Promise<void>;
}

/** What is asked for one photo. */
export interface UpscaleRequest {
  readonly bytes: Uint8Array;
  /** Empty: chosen by the photo's size. */
  readonly scale?: Scale | undefined;
  /** Name in the catalogue. Empty: the setting MODEL, else the default of the scale. */
  readonly model?: string | undefined;
  readonly format: OutputFormat;
  /** Empty: natural. */
  readonly look?: Look | undefined;
  /** Stops the work before the next tile. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the network's work that is done, 0…1. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Empty: nothing is kept. */
  readonly tileKeeper?: TileKeeper | undefined;
}

/** Size in pixels and bytes of a picture as a file. */
export interface PictureInfo<Format> {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly format: Format;
}

export interface UpscaleResult {
  readonly bytes: Uint8Array;
  readonly scale: Scale;
  readonly model: string;
  /** The photo as decoded, upright. */
  readonly input: PictureInfo<InputFormat>;
  /** The size it was reduced to first because of MAX_INPUT_SIDE; null when it was small enough. */
  readonly reducedTo: { readonly width: number; readonly height: number } | null;
  readonly output: PictureInfo<OutputFormat>;
  readonly quality: ResultQuality;
  /** Milliseconds spent in each step; `network` is the part of `run network` that was the network itself. */
  readonly timings: Readonly<Record<StepName | 'network', number>>;
}

/** What the gate found, and whether there was anything to save. */
export interface ResultQuality extends Quality {
  /** Typical height of a small letter, in pixels of the photo as it was worked on; null where no writing was found. */
  readonly letterHeight: number | null;
  /** The letters are too small to be saved: whoever took the photo should come closer or zoom in. */
  readonly tooSmall: boolean;
}

/** Pixels. Of smaller letters the readers of our experiments got less than half right, in the result too. */
const LEAST_LETTER_HEIGHT = 4;

/** The steps in their order, read aloud. */
export const STEPS = [
  'sniff',
  'check limits',
  'decode',
  'reduce',
  'plan tiles',
  'run network',
  'join',
  'quality gate',
  'look',
  'encode',
] as const;
export type StepName = (typeof STEPS)[number];

export interface Upscaler {
  /** @throws AppError any of the engine's codes; nothing is left behind */
  upscale(request: UpscaleRequest): Promise<UpscaleResult>;
}

type Limits = Pick<
  Config,
  'maxInputBytes' | 'maxInputPixels' | 'maxInputSide' | 'model' | 'modelsDir' | 'tilePixels'
>;

export function createUpscaler({
  config,
  catalogue,
  inference,
  pixelWork,
}: {
  config: Limits;
  catalogue: Catalogue;
  inference: Inference;
  pixelWork: PixelWork;
}): Upscaler {
  // A file is hashed once: afterwards its network is in memory, until its thread fails.
  const verified = new Map<string, Promise<string>>();
  function locateOnce(model: Model): Promise<string> {
    const known = verified.get(model.name);
    if (known !== undefined) return known;
    const path = locateModel(model, config);
    verified.set(model.name, path);
    path.catch(() => verified.delete(model.name));
    return path;
  }

  return {
    async upscale({
      bytes,
      scale: wantedScale,
      model: wantedModel,
      format,
      look,
      signal,
      onProgress,
      tileKeeper,
    }) {
      const timings = Object.fromEntries([...STEPS, 'network'].map((name) => [name, 0])) as Record<
        StepName | 'network',
        number
      >;
      async function step<T>(name: StepName, work: () => T | Promise<T>): Promise<T> {
        if (signal?.aborted)
          throw new AppError('CANCELLED', `before the step "${name}"`, { cause: signal.reason });
        const startedAt = performance.now();
        const result = await work();
        timings[name] += performance.now() - startedAt;
        return result;
      }

      const inputFormat = await step('sniff', () => sniff(bytes));
      await step('check limits', () => checkLimits(bytes, inputFormat, config));
      const decoded = await step('decode', () =>
        decode(bytes, inputFormat, { maxPixels: config.maxInputPixels, signal }),
      );
      const tooLong = Math.max(decoded.width, decoded.height) > config.maxInputSide;
      const photo = await step('reduce', () => (tooLong ? reduce(decoded, config.maxInputSide) : decoded));

      const { model, tiles, network, plan } = await step('plan tiles', async () => {
        const model = chooseModel(catalogue, photo, {
          scale: wantedScale,
          model: wantedModel,
          preset: config.model,
        });
        checkFits(photo.width * model.scale, photo.height * model.scale, format);
        const path = await locateOnce(model);
        const tiles = planTiles(photo.width, photo.height, tileRules(model, config.tilePixels));
        return { model, tiles, network: networkOf(model, path), plan: fingerprint(model, photo, tiles) };
      });

      // Measured while the network runs, on a copy: the thread keeps what it is given.
      const measured = pixelWork.call(
        { kind: 'letters', photo: { ...photo, data: new Uint8Array(photo.data) } },
        signal,
      );
      const kept = measured.then(({ letters, grain }) => ({
        share: keptShare(model.damping, letters.typical),
        grain,
      }));
      kept.catch(() => undefined);

      const { scale } = model;
      let joined = 0;
      const result = createRaster(photo.width * scale, photo.height * scale);
      async function enlargeTile(tile: Tile, index: number): Promise<Raster> {
        const { width, height } = scaleRect(tile.keep, scale);
        const saved = await tileKeeper?.load(plan, index);
        if (saved?.length === width * height * CHANNELS) return { width, height, data: saved };
        const { raster, runMs } = await inference
          .enlargeTile(network, photo, tile, { signal, kept })
          .catch((error: unknown) => {
            verified.delete(model.name);
            throw error;
          });
        timings.network += runMs;
        await tileKeeper?.save(plan, index, raster.data);
        return raster;
      }
      await step('run network', () =>
        // One tile ahead: the network begins it while the one before is finished and saved.
        pMap(
          tiles,
          async (tile, index) => {
            const raster = await enlargeTile(tile, index);
            await step('join', () => paste(result, raster, tile.keep.left * scale, tile.keep.top * scale));
            joined++;
            onProgress?.(joined / tiles.length);
          },
          { concurrency: 2 },
        ),
      );
      // Joining went on meanwhile, and is counted once.
      timings['run network'] -= timings.join;
      const quality = await step('quality gate', async () => {
        const judged = await passGate(pixelWork, photo, result, scale, signal);
        const { typical } = (await measured).letters;
        return {
          ...judged,
          letterHeight: typical,
          tooSmall: typical !== null && typical < LEAST_LETTER_HEIGHT,
        };
      });
      // The gate has judged what the network made; a look only makes its differences from the board larger.
      const seen = await step('look', async () =>
        look === 'clean'
          ? (await pixelWork.call({ kind: 'clean', photo: result, scale }, signal)).raster
          : result,
      );
      const encoded = await step('encode', () => encode(seen, format));

      return {
        bytes: encoded,
        scale,
        model: model.name,
        input: { width: decoded.width, height: decoded.height, bytes: bytes.length, format: inputFormat },
        reducedTo: tooLong ? { width: photo.width, height: photo.height } : null,
        output: { width: seen.width, height: seen.height, bytes: encoded.length, format },
        quality,
        timings,
      };
    },
  };
}

function sniff(bytes: Uint8Array): InputFormat {
  if (bytes.length === 0) throw new AppError('INPUT_EMPTY', '0 bytes');
  const format = sniffFormat(bytes);
  if (format === undefined)
    throw new AppError('NOT_AN_IMAGE', 'its first bytes are those of no format we know');
  return format;
}

async function checkLimits(bytes: Uint8Array, format: InputFormat, limits: Limits): Promise<void> {
  if (bytes.length > limits.maxInputBytes) {
    throw new AppError('TOO_MANY_BYTES', `${bytes.length}, the limit is ${limits.maxInputBytes}`);
  }
  if (format === 'heic') return;
  const { width, height } = await readSize(bytes);
  if (width * height > limits.maxInputPixels) {
    throw new AppError('TOO_MANY_PIXELS', `${width}×${height}, the limit is ${limits.maxInputPixels}`);
  }
}

/** What was asked for, else the preset where it fits the scale, else the scale's default; the scale fits the photo. */
function chooseModel(
  catalogue: Catalogue,
  photo: Raster,
  wanted: { scale: Scale | undefined; model: string | undefined; preset: string | undefined },
): Model {
  if (wanted.model !== undefined) {
    const model = catalogue.get(wanted.model);
    if (wanted.scale !== undefined && wanted.scale !== model.scale) {
      throw new AppError('MODEL_UNKNOWN', `${model.name} enlarges by ${model.scale}, not by ${wanted.scale}`);
    }
    return model;
  }
  const scale = wanted.scale ?? chooseScale(photo.width, photo.height);
  return modelFor(catalogue, scale, { preset: wanted.preset, pixels: photo.width * photo.height });
}

/** How a model's photos are cut into tiles, of at most the catalogue's size or the one that is set. */
function tileRules({ halo, input, tiling, tilePixels }: Model, set = tilePixels): TileRules {
  // What was measured for networks of plain convolutions may only make the others' tiles smaller: they need more memory.
  const most = tiling === 'exact' ? set : Math.min(set, tilePixels);
  return { halo, multiple: input.multiple, tilePixels: most };
}

/** Equal for two runs only if the tiles of one can stand for those of the other. */
function fingerprint({ name, sha256, damping }: Model, photo: Raster, tiles: readonly Tile[]): string {
  const hash = createHash('sha256').update(
    JSON.stringify([name, sha256, damping, photo.width, photo.height, tiles]),
  );
  return hash.update(photo.data).digest('hex').slice(0, 32);
}

/** What the inference thread must know of a model whose file is at `path`. */
export function networkOf(model: Model, path: string): Network {
  return {
    path,
    scale: model.scale,
    input: model.input.name,
    output: model.output.name,
    multiple: model.input.multiple,
    white: model.range,
    base: model.base,
  };
}
