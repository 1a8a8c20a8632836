/** Follows an upscale until it ends: for requests that wait and for those that want every step. */
import { AppError } from '../errors.ts';
import { isFinal, type Upscale } from '../job.ts';
import type { Watch } from '../jobs/watch.ts';

/**
 * Yields the upscale as it is now and after every change; ends after its end, or when the signal aborts.
 * @param lookAgainMs also yields it this often: its place in the queue moves without a message
 * @throws AppError UPSCALE_NOT_FOUND once it is gone with its user
 */
export async function* follow(
  watch: Watch,
  id: string,
  find: () => Promise<Upscale | undefined>,
  signal: AbortSignal,
  lookAgainMs?: number,
): AsyncGenerator<Upscale> {
  let stale = true;
  let wake = (): void => {};
  const rouse = (): void => {
    stale = true;
    wake();
  };
  // Watched before it is looked up: a change in between is not missed.
  const unwatch = watch.upscale(id, rouse);
  const timer = lookAgainMs === undefined ? undefined : setInterval(rouse, lookAgainMs);
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
      if (upscale === undefined) throw new AppError('UPSCALE_NOT_FOUND', id);
      yield upscale;
      if (isFinal(upscale.status)) return;
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', rouse);
    unwatch();
  }
}
