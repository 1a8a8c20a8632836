/** Random numbers that can be had again: every test that draws them prints its seed. */
import type { TestContext } from 'node:test';

/** A generator of numbers in 0…1 (mulberry32). `SEED` in the environment repeats a failed run. */
export function seededRandom(t: TestContext): () => number {
  let state = Number(process.env.SEED ?? Date.now() % 2 ** 31) >>> 0;
  t.diagnostic(`SEED=${state}`);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `min` to `max`, both included. */
export function integer(random: () => number, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}
