/**
 * Calibrates the quality gate on a network: how often it finds planted errors, how often it takes back what is right, what it costs.
 *
 * /usr/bin/python3 training/score.py render --out /tmp/gate-x2 --count 36 --seed 41000 --scale 2
 * node scripts/calibrate-gate.ts /tmp/gate-x2 [--model boardsharp-x2] [--letters 3] [--photos FOLDER] [--seed 1]
 *
 * --photos: real photos, no truth needed; right results of theirs are judged too. Prints Markdown for docs/algorithm.md.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.ts';
import { enlargeBicubic } from '../src/engine/bicubic.ts';
import { grainOf, keptShare } from '../src/engine/damping.ts';
import { passGate } from '../src/engine/gate.ts';
import { decode, reduce } from '../src/engine/image-codec.ts';
import { sniffFormat } from '../src/engine/image-format.ts';
import { locateModel } from '../src/engine/model-files.ts';
import { openPixelWork } from '../src/engine/pixel-work.ts';
import { CHANNELS, createRaster, paste, type Raster } from '../src/engine/pixels.ts';
import type { Quality } from '../src/engine/quality-gate.ts';
import { planTiles } from '../src/engine/tiles.ts';
import { networkOf } from '../src/engine/upscale.ts';
import { readTruthFolder } from '../src/evaluation/truth-folder.ts';
import { openEngine } from '../src/open-engine.ts';
import { randomFrom } from '../test/helpers/seed.ts';
import { inkOf, LETTER_PLANTS, lettersOf, WHOLE_PLANTS } from './gate-plants.ts';

/** A plant is strong if, reduced and smoothed, it changes some block of the photo by so much (RMS, in 1/255). */
const STRONG = 10;
/** Pixels changed by more than this belong to a plant. */
const CHANGED = 8;
const PHOTO_SIDE = 1280;
const ROUNDS = 8;

/** What the gate said of results that are right. */
class Tally {
  readonly verdicts = { accepted: 0, softened: 0, fallback: 0 };
  red = 0;
  blocks = 0;
  shift = 0;
  tint = 0;

  add({ verdict, redBlocks, blocks, shift, tint }: Quality): void {
    this.verdicts[verdict]++;
    this.red += redBlocks;
    this.blocks += blocks;
    this.shift = Math.max(this.shift, Math.hypot(shift.x, shift.y));
    this.tint = Math.max(this.tint, Math.abs(tint));
  }

  row(name: string): string {
    const { accepted, softened, fallback } = this.verdicts;
    const share = `${this.red} of ${this.blocks} (${((100 * this.red) / this.blocks).toFixed(3)} %)`;
    return `| ${name} | ${accepted} | ${softened} | ${fallback} | ${share} | ${this.shift.toFixed(3)} px | ${this.tint.toFixed(1)}/255 |`;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    letters: { type: 'string', default: '3' },
    photos: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const [place] = positionals;
if (place === undefined) throw new Error('which folder? See the first lines of scripts/calibrate-gate.ts');
const folder = await readTruthFolder(place, Number.POSITIVE_INFINITY);
const { scale } = folder;
const random = randomFrom(Number(values.seed));

const config = readConfig({ EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'warn' });
const engine = await openEngine(config);
const pixelWork = openPixelWork();
try {
  const model =
    values.model === undefined
      ? engine.catalogue.defaultFor(scale).model
      : engine.catalogue.get(values.model);
  if (model.scale !== scale)
    throw new Error(`${model.name} enlarges by ${model.scale}, the folder by ${scale}`);
  const network = networkOf(model, await locateModel(model, config));
  const rules = { halo: model.halo, multiple: model.input.multiple, tilePixels: model.tilePixels };

  // As for small letters: most of the boards' are.
  const share = keptShare(model.damping, null);

  /** What the network makes of a photo, before any gate. */
  async function enlarge(photo: Raster): Promise<{ result: Raster; runMs: number }> {
    const result = createRaster(photo.width * scale, photo.height * scale);
    const kept = Promise.resolve({ share, grain: grainOf(photo) });
    let total = 0;
    for (const tile of planTiles(photo.width, photo.height, rules)) {
      const { raster, runMs } = await engine.inference.enlargeTile(network, photo, tile, { kept });
      paste(result, raster, tile.keep.left * scale, tile.keep.top * scale);
      total += runMs;
    }
    return { result, runMs: total };
  }

  const right = new Tally();
  const real = new Tally();
  const plants = new Map<string, { caught: number; all: number; strongCaught: number; strong: number }>();
  const count = (name: string, caught: boolean, strong: boolean): void => {
    const row = plants.get(name) ?? { caught: 0, all: 0, strongCaught: 0, strong: 0 };
    plants.set(name, row);
    row.all++;
    if (caught) row.caught++;
    if (strong) row.strong++;
    if (caught && strong) row.strongCaught++;
  };

  for (const board of folder.boards) {
    const photo = await picture(board.photo);
    const { result } = await enlarge(photo);
    const base = enlargeBicubic(photo, scale);
    right.add(await passGate(pixelWork, photo, copy(result), scale));
    /** Plants, judges, and sees whether most of what was planted went back to bicubic. */
    async function plant(name: string, planted: Raster): Promise<void> {
      const shown = copy(planted);
      const { verdict } = await passGate(pixelWork, photo, shown, scale);
      const caught = verdict === 'fallback' || takenBack(result, planted, shown, base) > 0.5;
      count(name, caught, strengthOf(result, planted, scale) >= STRONG);
    }
    for (const [name, change] of Object.entries(WHOLE_PLANTS)) await plant(name, change(result, scale));
    const ink = inkOf(await picture(board.truth), board.lines);
    const lines = shuffled(board.lines.map((line) => lettersOf(ink, result.width, line, scale)));
    for (const letters of lines.filter((list) => list.length > 2).slice(0, Number(values.letters))) {
      const [letter] = shuffled(letters);
      if (letter === undefined) continue;
      for (const [name, change] of Object.entries(LETTER_PLANTS)) {
        const planted = change({ result, letter, others: letters, ink, scale });
        if (planted !== null) await plant(name, planted);
      }
    }
    process.stderr.write(`${board.name}\n`);
  }
  if (values.photos !== undefined) {
    for (const name of (await readdir(values.photos)).sort()) {
      const bytes = await readFile(join(values.photos, name));
      if (sniffFormat(bytes) === undefined) continue;
      const photo = await picture(bytes, PHOTO_SIDE);
      real.add(await passGate(pixelWork, photo, (await enlarge(photo)).result, scale));
      process.stderr.write(`${name}\n`);
    }
  }

  console.log(`${model.name} at x${scale}, ${folder.boards.length} boards, seed ${values.seed}\n`);
  console.log(
    '| right results | accepted | softened | fallback | red blocks | largest shift | largest tint |',
  );
  console.log('|---|---|---|---|---|---|---|');
  console.log(right.row('network, simulated boards'));
  if (values.photos !== undefined) console.log(real.row('network, real photos'));
  console.log('\n| planted | caught | of the strong ones |\n|---|---|---|');
  for (const [name, { caught, all, strongCaught, strong }] of plants)
    console.log(`| ${name} | ${caught} of ${all} | ${strongCaught} of ${strong} |`);
  await printCost(enlarge);
} finally {
  await Promise.all([engine.close(), pixelWork.close()]);
}

/** The gate's share of the network's time, on a photo of 1280×960 put together from the boards, everything warm. */
async function printCost(
  enlarge: (photo: Raster) => Promise<{ result: Raster; runMs: number }>,
): Promise<void> {
  const wide = createRaster(PHOTO_SIDE, 960);
  const photos = await Promise.all(folder.boards.slice(0, 16).map((board) => picture(board.photo)));
  const [width, height] = [photos[0]?.width ?? 1, photos[0]?.height ?? 1];
  for (let i = 0, top = 0; top + height <= wide.height; top += height)
    for (let left = 0; left + width <= wide.width; left += width)
      paste(wide, photos[i++ % photos.length] as Raster, left, top);
  const times: { network: number; gateWall: number; gateCpu: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { result, runMs } = await enlarge(wide);
    const startedAt = performance.now();
    const before = process.cpuUsage();
    await passGate(pixelWork, wide, result, scale);
    const { user, system } = process.cpuUsage(before);
    times.push({ network: runMs, gateWall: performance.now() - startedAt, gateCpu: (user + system) / 1000 });
  }
  const median = (pick: (time: (typeof times)[number]) => number): number =>
    times.map(pick).sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
  const [net, wall, cpu] = [median((t) => t.network), median((t) => t.gateWall), median((t) => t.gateCpu)];
  console.log(
    `\nCost at 1280×960, median of ${ROUNDS}: network ${net.toFixed(0)} ms, gate ${wall.toFixed(0)} ms (${((100 * wall) / net).toFixed(1)} %), CPU of it ${cpu.toFixed(0)} ms.`,
  );
}

/** The share of the changed values that are nearer to the base than to the plant in what is shown. */
function takenBack(result: Raster, planted: Raster, shown: Raster, base: Raster): number {
  let changed = 0;
  let back = 0;
  for (const [i, value] of planted.data.entries()) {
    if (Math.abs(value - (result.data[i] as number)) <= CHANGED) continue;
    // Where base and plant are alike there is nothing to take back.
    if (Math.abs(value - (base.data[i] as number)) <= CHANGED / 2) continue;
    changed++;
    const seen = shown.data[i] as number;
    if (Math.abs(seen - (base.data[i] as number)) < Math.abs(seen - value)) back++;
  }
  return changed === 0 ? 0 : back / changed;
}

/** The most that a plant changes a block of 8×8 photo pixels, seen as the gate sees it: reduced, 3×3 binomial mean, RMS. */
function strengthOf(result: Raster, planted: Raster, scale: number): number {
  const [width, height] = [result.width / scale, result.height / scale];
  const change = new Float32Array(width * height);
  for (const [i, weight] of [0.299, 0.587, 0.114].entries()) {
    for (let at = 0; at < result.width * result.height; at++) {
      const difference =
        (planted.data[at * CHANNELS + i] as number) - (result.data[at * CHANNELS + i] as number);
      if (difference === 0) continue;
      const to =
        Math.floor(Math.floor(at / result.width) / scale) * width + Math.floor((at % result.width) / scale);
      change[to] = (change[to] as number) + (weight * difference) / scale ** 2;
    }
  }
  const smooth = (x: number, y: number): number => {
    let sum = 0;
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++)
        sum += ((2 - Math.abs(dx)) * (2 - Math.abs(dy)) * (change[(y + dy) * width + x + dx] ?? 0)) / 16;
    return sum;
  };
  let most = 0;
  for (let top = 0; top + 8 <= height; top += 8) {
    for (let left = 0; left + 8 <= width; left += 8) {
      let squares = 0;
      for (let y = top; y < top + 8; y++) for (let x = left; x < left + 8; x++) squares += smooth(x, y) ** 2;
      most = Math.max(most, Math.sqrt(squares / 64));
    }
  }
  return most;
}

function copy(raster: Raster): Raster {
  return { ...raster, data: raster.data.slice() };
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

async function picture(bytes: Uint8Array, maxSide = Number.POSITIVE_INFINITY): Promise<Raster> {
  const format = sniffFormat(bytes);
  if (format === undefined) throw new Error('not a picture');
  const raster = await decode(bytes, format, { maxPixels: 1e8 });
  return Math.max(raster.width, raster.height) > maxSide ? await reduce(raster, maxSide) : raster;
}
