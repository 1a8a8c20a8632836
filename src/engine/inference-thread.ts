/** The thread that runs networks, since a run blocks its caller. The only file that imports onnxruntime-node. */
import { existsSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import { enlarge } from './bicubic.ts';
import type { Device, InferenceRequest, InferenceResponse, Network } from './inference.ts';
import { type Planes, type Raster, scaleRect, toPlanes, toRaster } from './pixels.ts';
import { serve } from './thread.ts';

/** A network on the device that was chosen for it. */
interface Loaded {
  readonly session: ort.InferenceSession;
  readonly device: Device;
}

const loaded = new Map<string, Promise<Loaded>>();

serve<InferenceRequest, InferenceResponse>(async ({ network, provider, threads, tile }) => {
  const key = `${provider} ${network.path}`;
  let loading = loaded.get(key);
  if (loading === undefined) {
    loading = provider === 'auto' ? chooseDevice(network, threads) : openOn(network, provider, threads);
    loaded.set(key, loading);
    loading.catch(() => loaded.delete(key));
  }
  const { session, device } = await loading;
  if (tile === undefined) return { value: { device, raster: null, runMs: 0 } };

  const input = toPlanes(tile.raster, network.multiple, network.white);
  const startedAt = performance.now();
  const output = await run(session, network, input);
  const runMs = performance.now() - startedAt;
  const raster =
    network.base === 'bicubic'
      ? enlarge(tile.raster, network.scale, tile.keep, output)
      : toRaster(output, scaleRect(tile.keep, network.scale));
  return { value: { device, raster, runMs }, transfer: [raster.data.buffer as ArrayBuffer] };
});

/**
 * One run of a network.
 * @throws AppError ENGINE_FAILED with ONNX Runtime's reason, memory that is not to be had included; MODEL_MISFIT
 */
async function run(session: ort.InferenceSession, network: Network, input: Planes): Promise<Planes> {
  const tensor = new ort.Tensor('float32', input.data, [1, 3, input.height, input.width]);
  let output: ort.Tensor | undefined;
  try {
    output = (await session.run({ [network.input]: tensor }, [network.output]))[network.output];
  } catch (error) {
    throw new AppError('ENGINE_FAILED', firstLine(error), { cause: error });
  }
  const width = input.width * network.scale;
  const height = input.height * network.scale;
  const expected = `1,3,${height},${width}`;
  if (output?.type !== 'float32' || String(output.dims) !== expected) {
    throw misfit(
      network,
      `${network.output} is ${output?.type} [${output?.dims}] where float32 [${expected}] was expected`,
    );
  }
  return { width, height, white: network.white, data: output.data as Float32Array };
}

/** Opens a network on one provider. @throws AppError PROVIDER, MODEL_CORRUPT or MODEL_MISFIT */
async function openOn(network: Network, provider: Device['provider'], threads: number): Promise<Loaded> {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(network.path, {
      executionProviders: [provider],
      intraOpNumThreads: threads,
      // Denormal floats in dark, flat regions would slow a run down many times.
      extra: { session: { set_denormal_as_zero: '1' } },
      logSeverityLevel: 3,
    });
  } catch (error) {
    if (provider !== 'cpu')
      throw new AppError('PROVIDER', `${provider}: ${firstLine(error)}`, { cause: error });
    throw new AppError('MODEL_CORRUPT', `${network.path}: ${firstLine(error)}`, { cause: error });
  }
  if (!session.inputNames.includes(network.input)) {
    throw misfit(network, `its inputs are ${session.inputNames.join(', ')}, not ${network.input}`);
  }
  if (!session.outputNames.includes(network.output)) {
    throw misfit(network, `its outputs are ${session.outputNames.join(', ')}, not ${network.output}`);
  }
  return { session, device: { provider, reason: 'set by EXECUTION_PROVIDER' } };
}

/** Where Linux keeps the Vulkan loader. Asking WebGPU without one prints a warning past our log. */
const VULKAN_LOADERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
].map((folder) => `${folder}/libvulkan.so.1`);

/** Largest difference between two devices, in units of full white, that is still the same picture. */
const SAME_RESULT = 1 / 255;
const PROBE_SIDE = 128;

/** The GPU when WebGPU finds one that agrees with the CPU on one tile and beats it; else the CPU, with the reason. */
async function chooseDevice(network: Network, threads: number): Promise<Loaded> {
  const cpu = await openOn(network, 'cpu', threads);
  const stay = (reason: string): Loaded => ({ ...cpu, device: { provider: 'cpu', reason } });
  if (process.platform === 'linux' && !VULKAN_LOADERS.some(existsSync))
    return stay('no Vulkan, so no GPU to try');
  try {
    const gpu = await openOn(network, 'webgpu', threads);
    const tile = probeTile();
    const input = toPlanes(tile, network.multiple, network.white);
    // The first run compiles shaders; the second is what every later tile costs.
    await run(gpu.session, network, input);
    const onGpu = await timed(() => run(gpu.session, network, input));
    await run(cpu.session, network, input);
    const onCpu = await timed(() => run(cpu.session, network, input));
    const difference = largestDifference(onGpu.value, onCpu.value);
    const times = `${onGpu.ms.toFixed(1)} ms against ${onCpu.ms.toFixed(1)} ms on the CPU`;
    if (!(difference <= SAME_RESULT))
      return stay(`WebGPU computes something else (off by ${difference.toFixed(3)})`);
    if (onGpu.ms >= onCpu.ms) return stay(`WebGPU is not faster: ${times}`);
    await cpu.session.release();
    return {
      ...gpu,
      device: { provider: 'webgpu', reason: `it agrees with the CPU and is faster: ${times}` },
    };
  } catch (error) {
    return stay(`WebGPU is not available (${firstLine(error)})`);
  }
}

/** Ramps and strokes: a tile on which a wrong kernel shows. */
function probeTile(): Raster {
  const data = Uint8Array.from({ length: PROBE_SIDE * PROBE_SIDE * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % PROBE_SIDE;
    const y = Math.floor(i / 3 / PROBE_SIDE);
    return (x * y) % 17 < 2 ? 30 : 130 + ((x + 2 * y + 40 * (i % 3)) % 120);
  });
  return { width: PROBE_SIDE, height: PROBE_SIDE, data };
}

function largestDifference(a: Planes, b: Planes): number {
  let largest = 0;
  for (const [i, value] of a.data.entries()) {
    const difference = Math.abs(value - (b.data[i] as number)) / a.white;
    // A NaN must not pass as agreement.
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, ms: performance.now() - startedAt };
}

function misfit(network: Network, detail: string): AppError {
  return new AppError('MODEL_MISFIT', `${network.path}: ${detail}`);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]?.slice(0, 300) ?? '';
}
