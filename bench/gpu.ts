/**
 * Tile and batch sizes on a GPU, and whether it computes what the CPU computes: ends with the settings that were fastest.
 *
 * npm run bench:gpu -- [--provider webgpu|cuda|cpu] [--scale 2] [--sides 256,512,1024] [--batches 1,2,4,8] [--rounds 3]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { EXECUTION_PROVIDERS, forbidTelemetry } from '../src/config.ts';
import type { InferenceRequest, InferenceResponse, Network } from '../src/engine/inference.ts';
import { loadCatalogue, type Model, type Scale } from '../src/engine/models.ts';
import type { Planes, Raster } from '../src/engine/pixels.ts';
import { openThread, type Thread } from '../src/engine/thread.ts';
import { planTiles } from '../src/engine/tiles.ts';
import { networkOf } from '../src/engine/upscale.ts';
import { drawBoard } from '../test/helpers/pictures.ts';
import { randomFrom } from '../test/helpers/seed.ts';

const { values } = parseArgs({
  options: {
    provider: { type: 'string', default: 'webgpu' },
    scale: { type: 'string', default: '2' },
    sides: { type: 'string', default: '256,384,512,768,1024' },
    batches: { type: 'string', default: '1,2,4,8' },
    rounds: { type: 'string', default: '3' },
  },
});
const provider = EXECUTION_PROVIDERS.find((one) => one === values.provider);
if (provider === undefined || provider === 'auto') throw new Error(`--provider ${values.provider} is none`);
const numbers = (list: string): number[] => list.split(',').map(Number);
const rounds = Number(values.rounds);
const PHOTO = { width: 1280, height: 960 };

forbidTelemetry();
const { model } = (await loadCatalogue({ modelsDir: '/nonexistent' })).defaultFor(
  Number(values.scale) as Scale,
);
if (!('path' in model.source)) throw new Error(`${model.name} is not embedded`);
const network = networkOf(model, model.source.path);
const card = openThread<InferenceRequest, InferenceResponse>('inference-thread', { finishes: true });
try {
  await compare(card, network);
  await measure(card, network, model);
} finally {
  await card.close();
}

/** The same two tiles here and on the CPU. */
async function compare(card: Thread<InferenceRequest, InferenceResponse>, network: Network): Promise<void> {
  const cpu = openThread<InferenceRequest, InferenceResponse>('inference-thread', { finishes: true });
  const tiles = [1, 2].map((seed) => drawBoard(96, 64, randomFrom(seed)));
  const wanted = await ask(cpu, network, tiles, 'cpu');
  const got = await ask(card, network, tiles);
  await cpu.close();
  const off = Math.max(...got.outputs.map((one, index) => difference(one, wanted.outputs[index] as Planes)));
  console.log(
    `${network.path} on ${got.device.provider}: two tiles at once differ from the CPU's by at most ${(255 * off).toFixed(4)}/255`,
  );
  // Written so that a NaN is a disagreement.
  if (!(off <= 0.5 / 255)) throw new Error('it computes something else');
}

/** Every tile size with every batch size, on tiles as a photo of 1280×960 has them. */
async function measure(
  card: Thread<InferenceRequest, InferenceResponse>,
  network: Network,
  { halo, input }: Model,
): Promise<void> {
  console.log(
    `\n| TILE_PIXELS | tiles of a photo of ${PHOTO.width}×${PHOTO.height} | BATCH_SIZE | ms a tile | photos a second |\n|---|---|---|---|---|`,
  );
  let best = { photos: 0, tilePixels: 0, batch: 0 };
  for (const side of numbers(values.sides)) {
    const tilePixels = side * side;
    const plan = planTiles(PHOTO.width, PHOTO.height, { halo, multiple: input.multiple, tilePixels });
    const areas = plan.map(({ read }) => read.width * read.height);
    const largest = plan[areas.indexOf(Math.max(...areas))]?.read ?? PHOTO;
    // The ones at the edge read less.
    const wholes = areas.reduce((sum, area) => sum + area, 0) / (largest.width * largest.height);
    for (const batch of numbers(values.batches)) {
      const tiles = Array.from({ length: batch }, (_, at) =>
        drawBoard(largest.width, largest.height, randomFrom(at + 1)),
      );
      const ms = await median(card, network, tiles).catch((error: Error) => error.message);
      if (typeof ms === 'string') {
        console.log(`| ${tilePixels} | ${plan.length} | ${batch} | ${ms} | |`);
        continue;
      }
      const photos = 1000 / ((ms / batch) * wholes);
      console.log(
        `| ${tilePixels} | ${plan.length} | ${batch} | ${(ms / batch).toFixed(1)} | ${photos.toFixed(2)} |`,
      );
      if (photos > best.photos) best = { photos, tilePixels, batch };
    }
  }
  console.log(
    `\nFastest: TILE_PIXELS=${best.tilePixels} BATCH_SIZE=${best.batch}, ${best.photos.toFixed(2)} photos a second in the network alone; ` +
      `for \`npm run capacity\`: --gpu-service-seconds ${(1 / best.photos).toFixed(3)}`,
  );
}

/** Milliseconds of a run, after a first that compiles and allocates. */
async function median(
  card: Thread<InferenceRequest, InferenceResponse>,
  network: Network,
  tiles: readonly Raster[],
): Promise<number> {
  await ask(card, network, tiles);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push((await ask(card, network, tiles)).runMs);
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] as number;
}

function ask(
  thread: Thread<InferenceRequest, InferenceResponse>,
  network: Network,
  tiles: readonly Raster[],
  on = provider as InferenceRequest['provider'],
): Promise<InferenceResponse> {
  return thread.call({ network, provider: on, threads: availableParallelism(), tiles });
}

/** The largest difference of any value; NaN if one is. */
function difference(one: Planes, other: Planes): number {
  let worst = 0;
  for (const [i, value] of one.data.entries()) {
    const distance = Math.abs(value - (other.data[i] as number));
    if (!(distance <= worst)) worst = distance;
  }
  return worst;
}
