/**
 * Speed, as ratios within one run: the whole command against its network, the network against the machine's peak,
 * and against a peer's network when one is given.
 *
 * npm run bench -- [--photo board.jpg] [--peer realesr-general-x4v3.onnx] [--rounds 3]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { forbidTelemetry } from '../src/config.ts';
import { decode, encode, reduce } from '../src/engine/image-codec.ts';
import { sniffFormat } from '../src/engine/image-format.ts';
import { loadCatalogue } from '../src/engine/models.ts';
import { type Raster, toPlanes } from '../src/engine/pixels.ts';
import { drawBoard } from '../test/helpers/pictures.ts';
import { matrixProduct } from './matrix-product.ts';

const { values } = parseArgs({
  options: {
    photo: { type: 'string' },
    peer: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
});
forbidTelemetry();
const ROUNDS = Number(values.rounds);
const THREADS = availableParallelism();
const SIZE = { width: 1280, height: 960 };
/** Convolution weights are used once per photo pixel, in ours once per 2×2 of them: they work at half the size. */
const PEER_PARAMETERS = 1_213_296;

const folder = mkdtempSync(join(tmpdir(), 'boardsharp-bench-'));
try {
  const photo = await openPhoto(values.photo);
  const file = join(folder, 'photo.jpg');
  writeFileSync(file, await encode(photo, 'jpeg'));
  const model = (await loadCatalogue({ modelsDir: folder })).defaultFor(2).model;
  if (!('path' in model.source) || model.parameters === null)
    throw new Error(`${model.name} is not embedded`);

  const peak = await measurePeak();
  console.log(
    `${cpus()[0]?.model}, ${THREADS} threads, photo of ${photo.width}×${photo.height}, median of ${ROUNDS}`,
  );
  console.log(`matrix products up to 2048³: ${peak.toFixed(0)} GFLOP/s, taken as the machine's peak`);
  const own = await measureNetwork(model.source.path, model.input.name, photo);
  report(`network ${model.name}`, own, (2 * model.parameters * photo.width * photo.height) / 4, peak);
  const whole = measureCommand(file);
  console.log(
    `whole command: ${seconds(whole.ms)}, ${(whole.ms / whole.networkMs).toFixed(2)} × its network (at most 1.3), ` +
      `${(whole.ms / own).toFixed(2)} × one untiled, warm run of it`,
  );
  if (values.peer !== undefined) {
    const peer = await measureNetwork(values.peer, undefined, photo, 1);
    report('peer network', peer, 2 * PEER_PARAMETERS * photo.width * photo.height, peak);
    console.log(`the default x2 network is ${(peer / own).toFixed(1)} × faster than the peer (at least 5)`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function openPhoto(path: string | undefined): Promise<Raster> {
  if (path === undefined) return drawBoard(SIZE.width, SIZE.height);
  const bytes = readFileSync(path);
  const format = sniffFormat(bytes);
  if (format === undefined) throw new Error(`${path} is not an image we read`);
  return reduce(await decode(bytes, format, { maxPixels: 50_000_000 }), SIZE.width);
}

/** GFLOP/s of the fastest of several large matrix products on the same threads. */
async function measurePeak(): Promise<number> {
  let best = 0;
  for (const side of [768, 1024, 1536, 2048]) {
    const session = await open(matrixProduct(side));
    const feeds = { a: new ort.Tensor('float32', new Float32Array(side * side).fill(0.5), [side, side]) };
    for (let round = 0; round < 6; round++) {
      const startedAt = performance.now();
      await session.run(feeds);
      best = Math.max(best, (2 * side ** 3) / (performance.now() - startedAt) / 1e6);
    }
    await session.release();
  }
  return best;
}

/** Milliseconds of one untiled run of a network, after a first that allocates. */
async function measureNetwork(
  path: string,
  input: string | undefined,
  photo: Raster,
  rounds = ROUNDS,
): Promise<number> {
  const session = await open(path);
  const planes = toPlanes(photo, 2, 1);
  const tensor = new ort.Tensor('float32', planes.data, [1, 3, planes.height, planes.width]);
  const feeds = { [input ?? session.inputNames[0] ?? '']: tensor };
  const ms = await median(rounds, () => session.run(feeds));
  await session.release();
  return ms;
}

function open(model: string | Uint8Array): Promise<ort.InferenceSession> {
  const options = { intraOpNumThreads: THREADS, executionProviders: ['cpu'] };
  return typeof model === 'string'
    ? ort.InferenceSession.create(model, options)
    : ort.InferenceSession.create(model, options);
}

/** Milliseconds of `boardsharp upscale` as a user starts it, process start included, and of the network within it. */
function measureCommand(file: string): { ms: number; networkMs: number } {
  const program = fileURLToPath(new URL('../bin/boardsharp.js', import.meta.url));
  const env = { ...process.env, EXECUTION_PROVIDER: 'cpu', LOG_LEVEL: 'warn' };
  const args = [program, 'upscale', file, '--scale', '2', '--force', '--json', '-o', join(folder, 'out.jpg')];
  const times = Array.from({ length: ROUNDS + 1 }, () => {
    const startedAt = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const ms = performance.now() - startedAt;
    return { ms, networkMs: JSON.parse(stdout).timings.network as number };
  });
  // The first run fills the caches.
  return (
    times.slice(1).toSorted((a, b) => a.ms - b.ms)[Math.floor(ROUNDS / 2)] ?? {
      ms: Number.NaN,
      networkMs: Number.NaN,
    }
  );
}

async function median(rounds: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return middle(times);
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

function report(name: string, ms: number, flops: number, peak: number): void {
  const rate = flops / ms / 1e6;
  console.log(
    `${name}: ${seconds(ms)}, ${rate.toFixed(0)} GFLOP/s, ${((100 * rate) / peak).toFixed(0)} % of the peak`,
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
