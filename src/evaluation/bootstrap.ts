/** Intervals of 95 % by drawing boards again and again, the same from the same seed. Pure. */

const DRAWS = 1000;

/** An interval that holds the true value in 95 of 100 sets like this one. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * @param items one per board; boards are what is drawn, since the lines of one board share its photo
 * @param statistic a number of some boards; draws where it is not a number are left out
 */
export function bootstrap<T>(
  items: readonly T[],
  statistic: (drawn: readonly T[]) => number,
  seed: number,
): Interval {
  const random = mulberry32(seed);
  const values: number[] = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    const value = statistic(items.map(() => items[Math.floor(random() * items.length)] as T));
    if (Number.isFinite(value)) values.push(value);
  }
  values.sort((a, b) => a - b);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))] ?? Number.NaN;
  return { low: at(0.025), high: at(0.975) };
}

/** Uniform in 0…1, by Tommy Ettinger's mulberry32. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
