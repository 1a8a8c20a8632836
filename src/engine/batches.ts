/** Lets work that waits for a busy device gather, so that the device gets several pieces at once. Knows nothing of networks. */
import { AppError, toAppError } from '../errors.ts';

export interface Batches<Item, Result> {
  /**
   * Gives `item` to the device as soon as it is free, together with others that wait.
   * @throws AppError what the device threw for it alone: a batch that fails is tried again piece by piece; CANCELLED as soon as
   * `signal` aborts
   */
  add(item: Item, signal?: AbortSignal): Promise<Result>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: AppError) => void;
}

/**
 * @param run gives pieces to the device and answers with a result for each, in their order; never called while it is at work
 * @param limit most pieces the device takes at once if the first of them is `item`
 * @param alike whether two pieces may go together
 */
export function openBatches<Item, Result>({
  run,
  limit,
  alike,
}: {
  run: (items: readonly Item[]) => Promise<readonly Result[]>;
  limit: (item: Item) => number;
  alike: (one: Item, other: Item) => boolean;
}): Batches<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let busy = false;

  /** Whoever waits longest goes first, and takes along who fits. */
  async function next(): Promise<void> {
    if (busy) return;
    busy = true;
    for (let [first] = waiting; first !== undefined; [first] = waiting) {
      const { item: oldest } = first;
      const together = waiting.filter(({ item }) => alike(oldest, item)).slice(0, limit(oldest));
      waiting = waiting.filter((one) => !together.includes(one));
      await runTogether(together);
    }
    busy = false;
  }

  async function runTogether(together: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(together.map(({ item }) => item));
      for (const [index, { resolve }] of together.entries()) resolve(results[index] as Result);
    } catch (error) {
      const [only] = together;
      if (together.length === 1) only?.reject(toAppError(error));
      // One photo's failure is not the others': each is told of its own.
      else for (const one of together) if (!one.signal?.aborted) await runTogether([one]);
    }
  }

  return {
    add: (item, signal) =>
      new Promise((resolve, reject) => {
        const cancelled = () =>
          new AppError('CANCELLED', 'the work was stopped before its end', { cause: signal?.reason });
        if (signal?.aborted) return reject(cancelled());
        const onAbort = (): void => {
          waiting = waiting.filter((one) => one !== entry);
          reject(cancelled());
        };
        const settled = <T>(done: (value: T) => void) => {
          return (value: T): void => {
            signal?.removeEventListener('abort', onAbort);
            done(value);
          };
        };
        const entry = { item, signal, resolve: settled(resolve), reject: settled(reject) };
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(entry);
        void next();
      }),
  };
}
