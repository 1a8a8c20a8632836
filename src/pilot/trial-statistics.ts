/** What the reading trial found: how many words that people could not read in the photo they read in the result. */
import { createRandom, drawAgain, type Estimate, quantileOf, shareOf } from './intervals.ts';

export type Form = 'original' | 'result';

/** One word or formula of the trial. */
export interface TrialItem {
  readonly id: string;
  /** `white`, `green`, … */
  readonly boardKind: string;
  /** `ru`, `en`; a formula has none. */
  readonly language: string | null;
  /** Height of a small letter in pixels of the photo; null where nobody measured it. */
  readonly letterHeight: number | null;
}

/** One person's attempt at one item. */
export interface Reading {
  readonly itemId: string;
  readonly readerId: string;
  readonly form: Form;
  readonly isRight: boolean;
}

/**
 * The figures of a set of items. A figure is null where nothing could have had it.
 *
 * Nobody sees the same word twice, so what one person could not read in the photo is read in the result by others. For
 * each word, `o` is the share of its readers who read it in the photo and `r` the share who read it in the result.
 * `Σ (1 − o) · r / Σ (1 − o)` is then the share recovered, `Σ o · (1 − r) / Σ o` the share made worse. Readers differ,
 * so both are above 0 even where the two pictures are the same: how much that is comes from pairs of people who read
 * the same photo, and is told beside them.
 */
export interface TrialFigures {
  /** Items read in both forms; only these count. */
  readonly items: number;
  readonly readers: number;
  readonly readings: number;
  /** Share read, averaged over items. */
  readonly original: Estimate | null;
  readonly result: Estimate | null;
  /** Of what was not read in the photo: the share read in the result. */
  readonly recovered: Estimate | null;
  /** Of what was read in the photo: the share not read in the result. */
  readonly harmed: Estimate | null;
  /** What `recovered` and `harmed` come to between two readers of the same photo. */
  readonly recoveredByChance: number | null;
  readonly harmedByChance: number | null;
}

/** The figures of all items, and of each group of them. */
export interface TrialResults {
  readonly all: TrialFigures;
  readonly byBoardKind: Readonly<Record<string, TrialFigures>>;
  readonly byLanguage: Readonly<Record<string, TrialFigures>>;
  readonly byLetterHeight: Readonly<Record<string, TrialFigures>>;
}

const REPLICATES = 1000;

/**
 * @param seed of the draws the intervals come from: the same readings and seed give the same intervals
 */
export function summarise(
  items: readonly TrialItem[],
  readings: readonly Reading[],
  { seed = 1 }: { seed?: number } = {},
): TrialResults {
  const figures = (group: readonly TrialItem[]): TrialFigures => figuresOf(group, readings, seed);
  const grouped = (nameOf: (item: TrialItem) => string): Record<string, TrialFigures> =>
    Object.fromEntries([...Map.groupBy(items, nameOf)].sort().map(([name, group]) => [name, figures(group)]));
  return {
    all: figures(items),
    byBoardKind: grouped(({ boardKind }) => boardKind),
    byLanguage: grouped(({ language }) => language ?? 'formula'),
    byLetterHeight: grouped(({ letterHeight }) => heightClass(letterHeight)),
  };
}

/** The classes of letter height used everywhere, in pixels of the photo. */
export function heightClass(letterHeight: number | null): string {
  if (letterHeight === null) return 'unknown';
  return letterHeight < 5 ? '< 5 px' : letterHeight <= 8 ? '5–8 px' : '> 8 px';
}

/** Readings by number: of which item, by which reader, in which form. */
interface Numbered {
  readonly item: number;
  readonly reader: number;
  readonly form: Form;
  readonly isRight: boolean;
}

function figuresOf(items: readonly TrialItem[], readings: readonly Reading[], seed: number): TrialFigures {
  const wanted = new Set(items.map(({ id }) => id));
  const byItem = Map.groupBy(
    readings.filter(({ itemId }) => wanted.has(itemId)),
    ({ itemId }) => itemId,
  );
  const complete = [...byItem.values()].filter((group) => new Set(group.map(({ form }) => form)).size === 2);
  const readers = [...new Set(complete.flat().map(({ readerId }) => readerId))];
  const readerNumbers = new Map(readers.map((id, number) => [id, number]));
  const numbered = complete.flatMap((group, item) =>
    group.map(({ readerId, form, isRight }): Numbered => {
      return { item, reader: readerNumbers.get(readerId) as number, form, isRight };
    }),
  );
  const counted = { items: complete.length, readers: readers.length, readings: numbered.length };
  const point = shares(numbered, complete.length);

  // Words differ and people differ: both are drawn again, which is rather too careful than too sure
  // (the pigeonhole bootstrap; A. B. Owen, 2007).
  const random = createRandom(seed);
  const replicates = Array.from({ length: complete.length === 0 ? 0 : REPLICATES }, () =>
    shares(numbered, complete.length, {
      items: drawAgain(complete.length, random),
      readers: drawAgain(readers.length, random),
    }),
  );
  const read = (point.original ?? 0) * complete.length;
  const unread = complete.length - read;
  const estimate = (figure: keyof Shares): Estimate | null => {
    const value = point[figure];
    if (value === null) return null;
    const sorted = replicates
      .map((replicate) => replicate[figure])
      .filter((drawn) => drawn !== null)
      .sort((a, b) => a - b);
    const drawn = { value, low: quantileOf(sorted, 0.025), high: quantileOf(sorted, 0.975) };
    if (value > 0 && value < 1) return drawn;
    // All or nothing stays so however often one draws; of words that nobody was shown it may be otherwise.
    const words = { original: complete.length, result: complete.length, recovered: unread, harmed: read }[
      figure
    ];
    const wilson = shareOf(value * words, words) ?? drawn;
    return { value, low: Math.min(drawn.low, wilson.low), high: Math.max(drawn.high, wilson.high) };
  };
  return {
    ...counted,
    original: estimate('original'),
    result: estimate('result'),
    recovered: estimate('recovered'),
    harmed: estimate('harmed'),
    ...chance(complete),
  };
}

interface Shares {
  readonly original: number | null;
  readonly result: number | null;
  readonly recovered: number | null;
  readonly harmed: number | null;
}

/** The four shares, each reading counted as often as its item and its reader were drawn. */
function shares(
  readings: readonly Numbered[],
  items: number,
  drawn?: { readonly items: Uint32Array; readonly readers: Uint32Array },
): Shares {
  const counts = {
    original: { read: new Float64Array(items), all: new Float64Array(items) },
    result: { read: new Float64Array(items), all: new Float64Array(items) },
  };
  for (const { item, reader, form, isRight } of readings) {
    const times = drawn === undefined ? 1 : (drawn.readers[reader] as number);
    const { read, all } = counts[form];
    all[item] = (all[item] as number) + times;
    if (isRight) read[item] = (read[item] as number) + times;
  }
  let [weight, original, result, recovered, harmed] = [0, 0, 0, 0, 0];
  for (let item = 0; item < items; item++) {
    const times = drawn === undefined ? 1 : (drawn.items[item] as number);
    const [all, allOfResult] = [counts.original.all[item] as number, counts.result.all[item] as number];
    if (times === 0 || all === 0 || allOfResult === 0) continue;
    const o = (counts.original.read[item] as number) / all;
    const r = (counts.result.read[item] as number) / allOfResult;
    weight += times;
    original += times * o;
    result += times * r;
    recovered += times * (1 - o) * r;
    harmed += times * o * (1 - r);
  }
  const unread = weight - original;
  return {
    original: weight > 0 ? original / weight : null,
    result: weight > 0 ? result / weight : null,
    recovered: unread > 1e-9 ? recovered / unread : null,
    harmed: original > 1e-9 ? harmed / original : null,
  };
}

/** How often one of two readers of the same photo reads what the other does not. */
function chance(
  groups: readonly (readonly Reading[])[],
): Pick<TrialFigures, 'recoveredByChance' | 'harmedByChance'> {
  let [differing, unread, read] = [0, 0, 0];
  for (const group of groups) {
    const originals = group.filter(({ form }) => form === 'original');
    const all = originals.length;
    if (all < 2) continue;
    const right = originals.filter(({ isRight }) => isRight).length;
    differing += (right * (all - right)) / (all * (all - 1));
    read += right / all;
    unread += 1 - right / all;
  }
  return {
    recoveredByChance: unread > 0 ? differing / unread : null,
    harmedByChance: read > 0 ? differing / read : null,
  };
}
