/** The handle to the inference thread: tiles in, enlarged tiles out, in the order they were asked for. */
import { availableParallelism } from 'node:os';
import type { ExecutionProvider } from '../config.ts';
import type { Log } from '../log.ts';
import { cutOut, type Raster, type Rect } from './pixels.ts';
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
  /** The pixels read and which of them to keep, in their own coordinates; undefined only loads the network. */
  readonly tile: { readonly raster: Raster; readonly keep: Rect } | undefined;
}

export interface InferenceResponse {
  readonly device: Device;
  readonly raster: Raster | null;
  /** Milliseconds the network itself took. */
  readonly runMs: number;
}

export interface Inference {
  /** Loads the network ahead of the first tile. */
  prepare(network: Network, signal?: AbortSignal): Promise<Device>;
  /**
   * Enlarges one tile of `photo`.
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

/** Opens the inference thread; it starts with the first network. */
export function openInference({
  executionProvider: provider,
  log,
  threads = availableParallelism(),
}: {
  executionProvider: ExecutionProvider;
  log: Log;
  threads?: number;
}): Inference {
  const thread = openThread<InferenceRequest, InferenceResponse>('inference-thread', { finishes: true });
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
      const raster = cutOut(photo, read);
      const inner = { ...keep, left: keep.left - read.left, top: keep.top - read.top };
      const request = { network, provider, threads, tile: { raster, keep: inner } };
      const response = await thread.call(request, { transfer: [raster.data.buffer as ArrayBuffer], signal });
      announce(response.device);
      return { raster: response.raster as Raster, runMs: response.runMs };
    },
    close: () => thread.close(),
  };
}
