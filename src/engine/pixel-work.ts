/** The handle to the pixel threads: tiles to finish and windows to judge, each to the thread with the least to do. */
import type { Kept } from './damping.ts';
import type { LetterHeight } from './letter-height.ts';
import type { Planes, Raster, Rect } from './pixels.ts';
import type { JudgedWindow, WindowFindings } from './quality-gate.ts';
import { openThread } from './thread.ts';

/** A part of a photo to be enlarged: `keep` in the coordinates of `photo`. */
interface Part {
  readonly photo: Raster;
  readonly keep: Rect;
  readonly scale: number;
}

export type PixelRequest =
  /** A network's output made into pixels: added to the bicubic base where it is a correction, all of it without `kept`. */
  | (Part & {
      readonly kind: 'finish';
      readonly base: 'bicubic' | 'none';
      readonly output: Planes;
      readonly kept: Kept | undefined;
    })
  /** The bicubic base alone. */
  | (Part & { readonly kind: 'base' })
  | { readonly kind: 'judge'; readonly window: JudgedWindow }
  /** A result made to look clean, for which it is moved there and back. */
  | { readonly kind: 'clean'; readonly photo: Raster; readonly scale: number }
  /** How high the letters of a photo are, and how much its bare board varies. */
  | { readonly kind: 'letters'; readonly photo: Raster };

export type PixelResponse = Finished | Judged | Measured;

interface Finished {
  readonly kind: 'finished';
  readonly raster: Raster;
}

interface Judged {
  readonly kind: 'judged';
  readonly findings: WindowFindings;
  /** The window's repaired core; null when it stays as it is. */
  readonly raster: Raster | null;
}

interface Measured {
  readonly kind: 'measured';
  readonly letters: LetterHeight;
  readonly grain: number;
}

/** What a request is answered with. */
type ResponseTo<Request extends PixelRequest> = Request extends { kind: 'judge' }
  ? Judged
  : Request extends { kind: 'letters' }
    ? Measured
    : Finished;

export interface PixelWork {
  /** Rasters and planes in the request are moved to the thread: they are empty for the caller afterwards. */
  call<Request extends PixelRequest>(request: Request, signal?: AbortSignal): Promise<ResponseTo<Request>>;
  close(): Promise<void>;
}

/** Opens the threads. Two: while one finishes the last tile, the other begins to judge. */
export function openPixelWork(threads = 2): PixelWork {
  const pool = Array.from({ length: threads }, () => ({
    thread: openThread<PixelRequest, PixelResponse>('pixel-thread', { eager: true }),
    open: 0,
  }));
  return {
    async call<Request extends PixelRequest>(request: Request, signal?: AbortSignal) {
      const idlest = pool.reduce((best, worker) => (worker.open < best.open ? worker : best));
      idlest.open++;
      try {
        const response = await idlest.thread.call(request, { transfer: buffersOf(request), signal });
        // Types do not reach through a thread: this says which answer belongs to which request.
        return response as ResponseTo<Request>;
      } finally {
        idlest.open--;
      }
    },
    async close() {
      await Promise.all(pool.map(({ thread }) => thread.close()));
    },
  };
}

function buffersOf(request: PixelRequest): ArrayBuffer[] {
  const arrays =
    request.kind === 'judge'
      ? [request.window.photo.data, request.window.result.data]
      : request.kind === 'finish'
        ? [request.photo.data, request.output.data]
        : [request.photo.data];
  return arrays.map((array) => array.buffer as ArrayBuffer);
}
