/** The thread that runs networks, since a run blocks its caller. The only file that imports onnxruntime-node. */
import { existsSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import { compareDevices, probeTile, type TimedOutput } from './device-choice.ts';
import type { Device, InferenceRequest, InferenceResponse, Network } from './inference.ts';
import { CHANNELS, type Planes, toPlanes } from './pixels.ts';
import { serve } from './thread.ts';

/** A network on the device that was chosen for it. */
interface Loaded {
  readonly session: ort.InferenceSession;
  readonly device: Device;
}

const loaded = new Map<string, Promise<Loaded>>();

serve<InferenceRequest, InferenceResponse>(async ({ network, provider, threads, tiles }) => {
  const key = `${provider} ${network.path}`;
  let loading = loaded.get(key);
  if (loading === undefined) {
    loading = provider === 'auto' ? chooseDevice(network, threads) : openOn(network, provider, threads);
    loaded.set(key, loading);
    loading.catch(() => loaded.delete(key));
  }
  const { session, device } = await loading;
  const takesBatches = device.provider !== 'cpu' && isAnyNumber(session, network);
  if (tiles.length === 0) return { value: { device, takesBatches, outputs: [], runMs: 0 } };
  const inputs = tiles.map((tile) => toPlanes(tile, network.multiple, network.white));
  const startedAt = performance.now();
  const outputs = await run(session, network, inputs);
  const runMs = performance.now() - startedAt;
  const transfer = outputs.map(({ data }) => data.buffer as ArrayBuffer);
  return { value: { device, takesBatches, outputs, runMs }, transfer };
});

/** Whether a network takes any number of tiles at once, and not one alone. */
function isAnyNumber(session: ort.InferenceSession, { input }: Network): boolean {
  const metadata = session.inputMetadata.find(({ name }) => name === input);
  return metadata?.isTensor === true && typeof metadata.shape[0] === 'string';
}

/**
 * One run of a network on pictures of one size.
 * @throws AppError ENGINE_FAILED with ONNX Runtime's reason, memory that is not to be had included; MODEL_MISFIT
 */
async function run(
  session: ort.InferenceSession,
  network: Network,
  inputs: readonly Planes[],
): Promise<Planes[]> {
  const [input] = inputs as [Planes];
  const dims = [inputs.length, CHANNELS, input.height, input.width];
  const tensor = new ort.Tensor('float32', joined(inputs), dims);
  let output: ort.Tensor | undefined;
  try {
    output = (await session.run({ [network.input]: tensor }, [network.output]))[network.output];
  } catch (error) {
    throw new AppError('ENGINE_FAILED', reasonOf(error), { cause: error });
  }
  const width = input.width * network.scale;
  const height = input.height * network.scale;
  const expected = `${inputs.length},${CHANNELS},${height},${width}`;
  if (output?.type !== 'float32' || String(output.dims) !== expected) {
    throw misfit(
      network,
      `${network.output} is ${output?.type} [${output?.dims}] where float32 [${expected}] was expected`,
    );
  }
  const all = output.data as Float32Array;
  const length = all.length / inputs.length;
  return inputs.map((_, index) => {
    const data = inputs.length === 1 ? all : all.slice(index * length, (index + 1) * length);
    return { width, height, white: network.white, data };
  });
}

/** One after the other, as a tensor holds them. */
function joined(pictures: readonly Planes[]): Float32Array {
  const [first] = pictures as [Planes];
  if (pictures.length === 1) return first.data;
  const all = new Float32Array(first.data.length * pictures.length);
  for (const [index, { data }] of pictures.entries()) all.set(data, index * first.data.length);
  return all;
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
      throw new AppError('PROVIDER', `${provider}: ${reasonOf(error)}`, { cause: error });
    throw new AppError('MODEL_CORRUPT', `${network.path}: ${reasonOf(error)}`, { cause: error });
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

/** The GPU when WebGPU finds one that agrees with the CPU on one tile and beats it; else the CPU, with the reason. */
async function chooseDevice(network: Network, threads: number): Promise<Loaded> {
  const cpu = await openOn(network, 'cpu', threads);
  const stay = (reason: string): Loaded => ({ ...cpu, device: { provider: 'cpu', reason } });
  if (process.platform === 'linux' && !VULKAN_LOADERS.some(existsSync))
    return stay('no Vulkan, so no GPU to try');
  let gpu: Loaded | undefined;
  let reason: string;
  try {
    gpu = await openOn(network, 'webgpu', threads);
    const input = toPlanes(probeTile(), network.multiple, network.white);
    const onGpu = await timeSecondRun(gpu.session, network, input);
    const onCpu = await timeSecondRun(cpu.session, network, input);
    const comparison = compareDevices(onGpu, onCpu);
    if (comparison.take) {
      await cpu.session.release();
      return { ...gpu, device: { provider: 'webgpu', reason: comparison.reason } };
    }
    reason = comparison.reason;
  } catch (error) {
    reason = `WebGPU cannot be used (${reasonOf(error)})`;
  }
  // It holds memory of the GPU; one that failed may fail at this too, and that is not the reason to tell.
  await gpu?.session.release().catch(() => {});
  return stay(reason);
}

/** The first run compiles shaders and allocates; the second is what every later tile costs. */
async function timeSecondRun(
  session: ort.InferenceSession,
  network: Network,
  input: Planes,
): Promise<TimedOutput> {
  await run(session, network, [input]);
  const startedAt = performance.now();
  const [output] = (await run(session, network, [input])) as [Planes];
  return { output, ms: performance.now() - startedAt };
}

function misfit(network: Network, detail: string): AppError {
  return new AppError('MODEL_MISFIT', `${network.path}: ${detail}`);
}

/** What ONNX Runtime says, in one line and without the place in its sources that it begins with. */
function reasonOf(error: unknown): string {
  const text =
    error instanceof AppError ? error.detail : error instanceof Error ? error.message : String(error);
  const [line = ''] = text.split('\n', 1);
  return line.replace(/^.* was false\. /, '').slice(0, 300);
}
