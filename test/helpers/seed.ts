/** Random numbers that can be had again: every test that draws them prints its seed. */
import type { TestContext } from 'node:test';

/** A generator of numbers in 0…1. `SEED` in the environment repeats a failed run. */
export function seededRandom(t: TestContext): () => number {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31) >>> 0;
  t.diagnostic(`SEED=${seed}`);
  return randomFrom(seed);
}

/** Numbers in 0…1, the same from the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `min` to `max`, both included. */
export function integer(random: () => number, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}
