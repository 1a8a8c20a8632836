/** Counts the upscales that end, whichever process worked on them. */
import { toAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { findUpscale } from '../storage/upscale-records.ts';
import type { RouteContext } from './route-context.ts';

/** Counts from now until the returned function is called. */
export function countEnds({ watch, stores, metrics }: RouteContext, log: Log): () => Promise<void> {
  const counting = new Set<Promise<void>>();

  async function count(id: string): Promise<void> {
    try {
      const upscale = await findUpscale(stores.db, id);
      if (upscale !== undefined) metrics.countEnd(upscale);
    } catch (thrown) {
      log.warn({ upscale: id, err: toAppError(thrown) }, 'an end was not counted');
    }
  }

  const unwatch = watch.ended((id) => {
    const work = count(id).finally(() => counting.delete(work));
    counting.add(work);
  });
  return async () => {
    unwatch();
    await Promise.all(counting);
  };
}
