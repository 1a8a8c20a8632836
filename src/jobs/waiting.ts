/** How long a photo will still take: its place in the queue and an estimate from measured throughput. */
import { isFinal, STATUS, type Upscale } from '../job.ts';
import type { Queryable } from '../storage/database.ts';
import { type Ahead, findAhead, measureThroughput } from '../storage/waiting-records.ts';
import { countWorkers } from '../storage/work-records.ts';

export interface Waiting {
  /** 1: the next to start; null when it waits no more. */
  readonly position: number | null;
  /** Null when it has ended, nothing has been measured yet, or nobody is there to work on it. */
  readonly remainingSeconds: number | null;
}

/** Where the upscale stands now. Never negative, and never below what the photo itself is expected to need. */
export async function estimateWaiting(db: Queryable, upscale: Upscale): Promise<Waiting> {
  if (isFinal(upscale.status)) return { position: null, remainingSeconds: null };
  const ahead = upscale.status === STATUS.queued ? await findAhead(db, upscale.id) : undefined;
  const position = ahead === undefined ? null : ahead.queued + 1;
  const measured = await measureThroughput(db);
  const nobodyWorks = ahead !== undefined && ahead.processing.length === 0 && (await countWorkers(db)) === 0;
  if (measured === undefined || nobodyWorks) return { position, remainingSeconds: null };

  const { msPerPixel, leastMs, meanPixels, mostPixels } = measured;
  // A photo larger than any that was worked on is reduced first; of one nobody has decoded yet the mean is expected.
  const costMs = (pixels: number | null): number =>
    Math.max(leastMs, msPerPixel * Math.min(pixels ?? meanPixels, mostPixels));
  const { width, height } = upscale.input;
  const ownMs = costMs(width === null || height === null ? null : width * height) * (1 - upscale.progress);
  const remainingMs = ahead === undefined ? ownMs : ownMs + waitMs(ahead, costMs);
  return { position, remainingSeconds: Math.max(1, Math.round(remainingMs / 1000)) };
}

/** While photos wait every worker is busy: their number is that of the photos being worked on, but for a moment at least one. */
function waitMs({ processing, waiting }: Ahead, costMs: (pixels: number | null) => number): number {
  const running = processing.reduce((sum, { pixels, progress }) => sum + costMs(pixels) * (1 - progress), 0);
  const queued = waiting.reduce((sum, { pixels, count }) => sum + costMs(pixels) * count, 0);
  return (running + queued) / Math.max(1, processing.length);
}
