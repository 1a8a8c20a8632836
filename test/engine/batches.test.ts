/** What waits for a busy device goes together, and each piece has its own end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBatches } from '../../src/engine/batches.ts';
import { AppError } from '../../src/errors.ts';

/** A device that adds 100, keeps what it was given, and works until it is let go. */
function openDevice(limit: number, isBroken = (_item: number) => false) {
  const given: (readonly number[])[] = [];
  const gates: (() => void)[] = [];
  const batches = openBatches<number, number>({
    limit: () => limit,
    alike: (one, other) => one % 2 === other % 2,
    async run(items) {
      given.push(items);
      await new Promise<void>((go) => gates.push(go));
      if (items.some(isBroken)) throw new AppError('ENGINE_FAILED', items.join());
      return items.map((item) => item + 100);
    },
  });
  /** Lets it finish until nothing waits any more. */
  async function drain<T>(end: Promise<T>): Promise<T> {
    const timer = setInterval(() => gates.shift()?.(), 0);
    return end.finally(() => clearInterval(timer));
  }
  return { batches, given, drain };
}

test('what gathers while the device works goes together, as far as it fits, the oldest first', async () => {
  const { batches, given, drain } = openDevice(3);
  const all = [1, 2, 3, 5, 7, 4, 9].map((item) => batches.add(item));
  assert.deepEqual(await drain(Promise.all(all)), [101, 102, 103, 105, 107, 104, 109]);
  assert.deepEqual(given, [[1], [2, 4], [3, 5, 7], [9]]);
});

test('a batch that fails is tried piece by piece: only what is broken fails', async () => {
  const { batches, given, drain } = openDevice(4, (item) => item === 5);
  const ends = await drain(Promise.allSettled([1, 3, 5, 7].map((item) => batches.add(item))));
  assert.deepEqual(
    ends.map((end) => (end.status === 'fulfilled' ? end.value : end.reason.code)),
    [101, 103, 'ENGINE_FAILED', 107],
  );
  assert.deepEqual(given, [[1], [3, 5, 7], [3], [5], [7]]);
});

test('who is stopped hears it at once, waiting or at work, and the others go on', async () => {
  const { batches, given, drain } = openDevice(4);
  const [first, second] = [new AbortController(), new AbortController()];
  const stopped = [batches.add(1, first.signal), batches.add(3, second.signal)];
  const other = batches.add(5);
  first.abort();
  second.abort();
  for (const one of stopped) await assert.rejects(one, { code: 'CANCELLED' });
  await assert.rejects(batches.add(7, first.signal), { code: 'CANCELLED' });
  assert.equal(await drain(other), 105);
  assert.deepEqual(given, [[1], [5]]);
});
