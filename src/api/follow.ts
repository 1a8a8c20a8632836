/** Follows an upscale until it ends: for requests that wait and for those that want every step. */
import { isFinal, type Upscale } from '../job.ts';
import type { Watch } from '../jobs/watch.ts';

/** How often an open upscale is looked up without being told of a change: its place in the queue moves silently. */
const LOOK_AGAIN_MS = 2000;

/**
 * Yields the upscale as it is now, after every change, and now and then while it is open; ends after its end, when it
 * is gone, or when the signal aborts.
 */
export async function* follow(
  watch: Watch,
  id: string,
  find: () => Promise<Upscale | undefined>,
  signal: AbortSignal,
): AsyncGenerator<Upscale> {
  let stale = true;
  let wake = (): void => {};
  const rouse = (): void => {
    stale = true;
    wake();
  };
  // Watched before it is looked up: a change in between is not missed.
  const unwatch = watch.upscale(id, rouse);
  const timer = setInterval(rouse, LOOK_AGAIN_MS);
  signal.addEventListener('abort', rouse);
  try {
    while (!signal.aborted) {
      if (!stale) {
        await new Promise<void>((done) => {
          wake = done;
        });
        continue;
      }
      stale = false;
      const upscale = await find();
      if (upscale === undefined) return;
      yield upscale;
      if (isFinal(upscale.status)) return;
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', rouse);
    unwatch();
  }
}
