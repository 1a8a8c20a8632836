/** Intervals of 95 % by drawing boards again and again, the same from the same seed. Pure. */

const DRAWS = 1000;

/** An interval that holds the true value in 95 of 100 sets like this one. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A figure with its interval; not a number where there is nothing to take it from. */
export interface Estimate extends Interval {
  readonly value: number;
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
  const { low, high } = estimate(items, (drawn) => ({ value: statistic(drawn) }), seed).value;
  return { low, high };
}

/** Several figures of the same draws at once, each with its value on all items. */
export function estimate<T, K extends string>(
  items: readonly T[],
  statistics: (drawn: readonly T[]) => Readonly<Record<K, number>>,
  seed: number,
): Record<K, Estimate> {
  const random = mulberry32(seed);
  const whole = statistics(items);
  const names = Object.keys(whole) as K[];
  const values = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let draw = 0; draw < DRAWS; draw++) {
    const drawn = statistics(items.map(() => items[Math.floor(random() * items.length)] as T));
    for (const name of names) if (Number.isFinite(drawn[name])) values.get(name)?.push(drawn[name]);
  }
  return Object.fromEntries(
    names.map((name) => {
      const sorted = (values.get(name) ?? []).sort((a, b) => a - b);
      const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
      return [name, { value: whole[name], low: at(0.025), high: at(0.975) }];
    }),
  ) as Record<K, Estimate>;
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
