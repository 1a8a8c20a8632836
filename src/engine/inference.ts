/** Enlarges tiles: the network in its own thread, what comes after it in the pixel threads. */
import { availableParallelism } from 'node:os';
import { type ExecutionProvider, forbidTelemetry } from '../config.ts';
import type { Log } from '../log.ts';
import { openBatches } from './batches.ts';
import type { Kept } from './damping.ts';
import type { PixelWork } from './pixel-work.ts';
import { cutOut, type Planes, type Raster } from './pixels.ts';
import { openThread } from './thread.ts';
import type { Tile } from './tiles.ts';

/** What the thread must know of a network: its verified file and how its tensors are to be read. */
export interface Network {
  /** Absolute path of the ONNX file. */
  readonly path: string;
  readonly scale: number;
  /** Tensor names. */
  readonly input: string;
  readonly output: string;
  /** Width and height given to the network are whole multiples of this. */
  readonly multiple: number;
  /** The tensors' value of full white: 1 or 255. */
  readonly white: number;
  /** `bicubic`: the output is a correction added to it. `none`: the output is the picture. */
  readonly base: 'bicubic' | 'none';
}

/** Where a network runs, and why there. */
export interface Device {
  readonly provider: Exclude<ExecutionProvider, 'auto'>;
  readonly reason: string;
}

export interface InferenceRequest {
  readonly network: Network;
  readonly provider: ExecutionProvider;
  readonly threads: number;
  /** The pixels read of tiles of one size; none only loads the network. */
  readonly tiles: readonly Raster[];
}

export interface InferenceResponse {
  readonly device: Device;
  /** Whether several tiles at once are any use: a CPU is busy with one, and some networks take no more. */
  readonly takesBatches: boolean;
  /** The network's outputs for the tiles, as they are. */
  readonly outputs: readonly Planes[];
  /** Milliseconds the network itself took for all of them. */
  readonly runMs: number;
}

export interface Inference {
  /** Loads the network ahead of the first tile. */
  prepare(network: Network, signal?: AbortSignal): Promise<Device>;
  /**
   * Enlarges one tile of `photo`. The next tile may be asked for before this one is there: the network begins it while
   * the pixel threads finish this one, and a GPU takes up to `batchSize` that wait at once, of whatever photos.
   * @param options `kept` is how much of a correction is kept, all by default; it may be known later than the network's
   *   answer
   * @returns RGB of `scale` times the size of `tile.keep`
   * @throws AppError CANCELLED, ENGINE_FAILED, ENGINE_CRASHED, MODEL_CORRUPT, MODEL_MISFIT, PROVIDER
   */
  enlargeTile(
    network: Network,
    photo: Raster,
    tile: Tile,
    options?: { signal?: AbortSignal | undefined; kept?: Promise<Kept> },
  ): Promise<{ raster: Raster; runMs: number }>;
  close(): Promise<void>;
}

/** Starts the inference thread. */
export function openInference({
  executionProvider: provider,
  pixelWork,
  log,
  batchSize = 1,
  threads = availableParallelism(),
}: {
  executionProvider: ExecutionProvider;
  pixelWork: PixelWork;
  log: Log;
  /** Most tiles of one size that a GPU is given at once. */
  batchSize?: number;
  threads?: number;
}): Inference {
  forbidTelemetry();
  const thread = openThread<InferenceRequest, InferenceResponse>('inference-thread', {
    finishes: true,
    eager: true,
  });
  const announced = new Set<string>();

  function announce({ provider, reason }: Device): void {
    const line = `networks run on ${provider}: ${reason}`;
    if (!announced.has(line)) log.info(line);
    announced.add(line);
  }

  /** Paths of networks whose device was seen to take several tiles at once. */
  const batching = new Set<string>();
  async function ask(
    network: Network,
    tiles: readonly Raster[],
    signal?: AbortSignal,
  ): Promise<InferenceResponse> {
    // Tiles of a batch are copied: if it fails, each is given once more, alone.
    const transfer = tiles.length === 1 ? tiles.map(({ data }) => data.buffer as ArrayBuffer) : [];
    const response = await thread.call({ network, provider, threads, tiles }, { transfer, signal });
    announce(response.device);
    // After a crash it may run elsewhere than before.
    if (response.takesBatches && batchSize > 1) batching.add(network.path);
    else batching.delete(network.path);
    return response;
  }
  const batches = openBatches<{ network: Network; tile: Raster }, { output: Planes; runMs: number }>({
    limit: () => batchSize,
    alike: (one, { network, tile }) =>
      one.network.path === network.path && one.tile.width === tile.width && one.tile.height === tile.height,
    async run(items) {
      const network = (items[0] as (typeof items)[number]).network;
      const { outputs, runMs } = await ask(
        network,
        items.map(({ tile }) => tile),
      );
      return outputs.map((output) => ({ output, runMs: runMs / items.length }));
    },
  });
  async function runNetwork(
    network: Network,
    tile: Raster,
    signal?: AbortSignal,
  ): Promise<{ output: Planes; runMs: number }> {
    if (batching.has(network.path)) return batches.add({ network, tile }, signal);
    const { outputs, runMs } = await ask(network, [tile], signal);
    return { output: outputs[0] as Planes, runMs };
  }

  return {
    async prepare(network, signal) {
      return (await ask(network, [], signal)).device;
    },
    async enlargeTile(network, photo, { read, keep }, { signal, kept } = {}) {
      const { output, runMs } = await runNetwork(network, cutOut(photo, read), signal);
      const finished = await pixelWork.call(
        {
          kind: 'finish',
          photo: cutOut(photo, read),
          keep: { ...keep, left: keep.left - read.left, top: keep.top - read.top },
          scale: network.scale,
          base: network.base,
          output,
          kept: network.base === 'bicubic' ? await kept : undefined,
        },
        signal,
      );
      return { raster: finished.raster, runMs };
    },
    close: () => thread.close(),
  };
}
