/** Erases what is kept longer than it may be, now and then. */
import { toAppError } from '../errors.ts';
import { type Stores, sweep } from '../jobs/erasure.ts';
import type { Log } from '../log.ts';

/** Retention is a promise in hours: ten minutes more or less keep it. */
const SWEEP_EVERY_MS = 600_000;

export interface Sweeper {
  /** Waits for a sweep that runs. Idempotent. */
  stop(): Promise<void>;
}

/** Sweeps at once and then again and again. */
export function startSweeper(
  stores: Stores,
  { retentionMs, log }: { retentionMs: number; log: Log },
): Sweeper {
  let sweeping: Promise<void> | undefined;
  async function run(): Promise<void> {
    try {
      const erased = await sweep(stores, { retentionMs });
      if (erased > 0) log.info(`erased ${erased} upscales that were kept long enough`);
    } catch (thrown) {
      log.error({ err: toAppError(thrown) }, 'nothing could be erased');
    }
  }
  function start(): void {
    sweeping ??= run().finally(() => {
      sweeping = undefined;
    });
  }
  const timer = setInterval(start, SWEEP_EVERY_MS);
  start();
  return {
    async stop() {
      clearInterval(timer);
      await sweeping;
    },
  };
}
