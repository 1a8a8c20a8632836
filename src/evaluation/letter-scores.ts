/** Letter errors, words read, recovered and harmed, counted as `training/reader.py` counts them. Pure. */

/** Letters that look the same in both alphabets: no reader can tell them apart on a board. */
const [LATIN, CYRILLIC] = ['abcehkmoptxyё3', 'авсенкмортхуез'];

/** The method that is bicubic once more, its lines offered to the reader a little larger: what differs is the reader's chance. */
export const AGAIN = 'bicubic-again';

/** Counts of one line or of many: they add up. */
export interface LetterCounts {
  readonly letters: number;
  readonly wrong: number;
  readonly words: number;
  readonly read: number;
  /** Words read in the truth, not in bicubic, and how many of them are read here. */
  readonly recoverable: number;
  readonly recovered: number;
  /** Words read in bicubic, and how many of them are not read here. */
  readonly harmable: number;
  readonly harmed: number;
}

/** What a reader made of one line in each picture. */
export interface Reading {
  readonly wanted: string;
  readonly here: string;
  readonly bicubic: string;
  readonly truth: string;
}

/** Without case and without the difference of look-alike letters. */
export function fold(text: string): string {
  const folded = text.toLowerCase().replace(/./gsu, (letter) => {
    const at = LATIN.indexOf(letter);
    return at < 0 ? letter : (CYRILLIC[at] ?? letter);
  });
  return folded.split(/\s+/u).filter(Boolean).join(' ');
}

/** Levenshtein distance in code points. */
export function distance(one: string, two: string): number {
  const [from, to] = [[...one], [...two]];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (const [i, letter] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) {
      const swap = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** Counts one line; it is wholly wrong at most. */
export function countLine({ wanted, here, bicubic, truth }: Reading): LetterCounts {
  const text = fold(wanted);
  const letters = [...text].length;
  const [got, had, can] = [here, bicubic, truth].map(wordsOf) as [Words, Words, Words];
  const counts = { words: 0, read: 0, recoverable: 0, recovered: 0, harmable: 0, harmed: 0 };
  for (const [word, times] of wordsOf(wanted)) {
    const in_ = (words: Words): number => Math.min(times, words.get(word) ?? 0);
    counts.words += times;
    counts.read += in_(got);
    counts.recoverable += Math.max(0, in_(can) - in_(had));
    counts.recovered += Math.max(0, Math.min(in_(got), in_(can)) - in_(had));
    counts.harmable += in_(had);
    counts.harmed += Math.max(0, in_(had) - in_(got));
  }
  return { letters, wrong: Math.min(letters, distance(fold(here), text)), ...counts };
}

export function addCounts(all: readonly LetterCounts[]): LetterCounts {
  const sum = (key: keyof LetterCounts): number => all.reduce((total, counts) => total + counts[key], 0);
  return {
    ...{ letters: sum('letters'), wrong: sum('wrong'), words: sum('words'), read: sum('read') },
    ...{ recoverable: sum('recoverable'), recovered: sum('recovered') },
    ...{ harmable: sum('harmable'), harmed: sum('harmed') },
  };
}

type Words = ReadonlyMap<string, number>;

function wordsOf(text: string): Words {
  const words = new Map<string, number>();
  for (const word of fold(text).split(' ').filter(Boolean)) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}
