/** Confidence intervals (95 %): of a share of independent cases, and of any figure by drawing its cases again. */

/** A figure with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The 97.5 % point of the normal distribution. */
const Z = 1.959964;

/**
 * A share of independent cases with Wilson's score interval (E. B. Wilson, 1927), which stays right for small numbers
 * and for shares near 0 and 1. Null without cases.
 */
export function shareOf(hits: number, cases: number): Estimate | null {
  if (cases === 0) return null;
  const value = hits / cases;
  const middle = (value + Z ** 2 / (2 * cases)) / (1 + Z ** 2 / cases);
  const half =
    (Z / (1 + Z ** 2 / cases)) * Math.sqrt((value * (1 - value)) / cases + Z ** 2 / (4 * cases ** 2));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** The value at `quantile` (0…1) of numbers sorted upwards, between neighbours in proportion. NaN without any. */
export function quantileOf(sorted: readonly number[], quantile: number): number {
  const at = (sorted.length - 1) * quantile;
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return below + (above - below) * (at - Math.floor(at));
}

/** Random numbers 0…1 that are the same for the same seed (mulberry32 by T. Ettinger, public domain). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each of `count` cases comes when `count` are drawn with putting back. */
export function drawAgain(count: number, random: () => number): Uint32Array {
  const times = new Uint32Array(count);
  for (let draw = 0; draw < count; draw++) {
    const at = Math.floor(random() * count);
    times[at] = (times[at] as number) + 1;
  }
  return times;
}
