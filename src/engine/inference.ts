/** Enlarges tiles: the network in its own thread, what comes after it in the pixel threads. */
import { availableParallelism } from 'node:os';
import { type ExecutionProvider, forbidTelemetry } from '../config.ts';
import type { Log } from '../log.ts';
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
  /** The pixels read; undefined only loads the network. */
  readonly tile: Raster | undefined;
}

export interface InferenceResponse {
  readonly device: Device;
  /** The network's output for the tile, as it is. */
  readonly output: Planes | null;
  /** Milliseconds the network itself took. */
  readonly runMs: number;
}

export interface Inference {
  /** Loads the network ahead of the first tile. */
  prepare(network: Network, signal?: AbortSignal): Promise<Device>;
  /**
   * Enlarges one tile of `photo`. The next tile may be asked for before this one is there: the network begins it while
   * the pixel threads finish this one.
   * @returns RGB of `scale` times the size of `tile.keep`
   * @throws AppError CANCELLED, ENGINE_FAILED, ENGINE_CRASHED, MODEL_CORRUPT, MODEL_MISFIT, PROVIDER
   */
  enlargeTile(
    network: Network,
    photo: Raster,
    tile: Tile,
    signal?: AbortSignal,
  ): Promise<{ raster: Raster; runMs: number }>;
  close(): Promise<void>;
}

/** Starts the inference thread. */
export function openInference({
  executionProvider: provider,
  pixelWork,
  log,
  threads = availableParallelism(),
}: {
  executionProvider: ExecutionProvider;
  pixelWork: PixelWork;
  log: Log;
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

  return {
    async prepare(network, signal) {
      const { device } = await thread.call({ network, provider, threads, tile: undefined }, { signal });
      announce(device);
      return device;
    },
    async enlargeTile(network, photo, { read, keep }, signal) {
      const tile = cutOut(photo, read);
      const request = { network, provider, threads, tile };
      const response = await thread.call(request, { transfer: [tile.data.buffer as ArrayBuffer], signal });
      announce(response.device);
      const finished = await pixelWork.call(
        {
          kind: 'finish',
          photo: cutOut(photo, read),
          keep: { ...keep, left: keep.left - read.left, top: keep.top - read.top },
          scale: network.scale,
          base: network.base,
          output: response.output as Planes,
        },
        signal,
      );
      return { raster: finished.raster, runMs: response.runMs };
    },
    close: () => thread.close(),
  };
}
