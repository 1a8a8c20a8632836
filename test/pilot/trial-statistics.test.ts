/** The trial's statistics against cases worked out by hand, and against readers whose abilities are known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, quantileOf, shareOf } from '../../src/pilot/intervals.ts';
import { type Form, type Reading, summarise, type TrialItem } from '../../src/pilot/trial-statistics.ts';

function item(id: string, about: Partial<TrialItem> = {}): TrialItem {
  return { id, boardKind: 'white', language: 'ru', letterHeight: 6, ...about };
}

/** `original` and `result`: one sign a reader, + read, - not. Readers are p0, p1, … and never come twice. */
function readingsOf(itemId: string, original: string, result: string, readers: () => string): Reading[] {
  const of = (signs: string, form: Form): Reading[] =>
    [...signs].map((sign) => ({ itemId, readerId: readers(), form, isRight: sign === '+' }));
  return [...of(original, 'original'), ...of(result, 'result')];
}

function everybodyNew(): () => string {
  let next = 0;
  return () => `p${next++}`;
}

function near(actual: number | null | undefined, expected: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual} instead of ${expected}`);
}

test('figures are those worked out by hand', () => {
  const readers = everybodyNew();
  const readings = [
    // o = 0, r = 1; o = 1/2, r = 1/2; o = 1, r = 3/4.
    ...readingsOf('a', '--', '++', readers),
    ...readingsOf('b', '+-', '+-', readers),
    ...readingsOf('c', '++', '+++-', readers),
    // Seen in one form only: says nothing.
    ...readingsOf('d', '--', '', readers),
  ];
  const { all } = summarise([item('a'), item('b'), item('c'), item('d')], readings);
  assert.deepEqual([all.items, all.readings], [3, 14]);
  near(all.original?.value, 1.5 / 3);
  near(all.result?.value, 2.25 / 3);
  // (1·1 + ½·½ + 0) / (1 + ½ + 0), and (0 + ½·½ + 1·¼) / (0 + ½ + 1).
  near(all.recovered?.value, 1.25 / 1.5);
  near(all.harmed?.value, 0.5 / 1.5);
  // Only b's two readers differ: 1·1 / (2·1) over unread 1.5 and read 1.5.
  near(all.recoveredByChance, 0.5 / 1.5);
  near(all.harmedByChance, 0.5 / 1.5);
});

test('groups hold their own items', () => {
  const readers = everybodyNew();
  const items = [
    item('a', { boardKind: 'green', language: null, letterHeight: 4 }),
    item('b', { letterHeight: 9 }),
    item('c', { language: 'en', letterHeight: null }),
  ];
  const readings = items.flatMap(({ id }) => readingsOf(id, '-', id === 'a' ? '+' : '-', readers));
  const results = summarise(items, readings);
  assert.deepEqual(Object.keys(results.byBoardKind), ['green', 'white']);
  assert.deepEqual(Object.keys(results.byLanguage), ['en', 'formula', 'ru']);
  assert.deepEqual(Object.keys(results.byLetterHeight), ['< 5 px', '> 8 px', 'unknown']);
  near(results.byBoardKind.green?.recovered?.value, 1);
  near(results.byBoardKind.white?.recovered?.value, 0);
  near(results.all.recovered?.value, 1 / 3);
});

test('without readings there are no figures', () => {
  const { all } = summarise([item('a')], []);
  assert.deepEqual([all.items, all.original, all.recovered, all.harmed], [0, null, null, null]);
  assert.equal(all.recoveredByChance, null);
});

test('nothing in ten words is not nothing at all: the interval says how many words there were', () => {
  const items = Array.from({ length: 10 }, (_, index) => item(`w${index}`));
  const readers = everybodyNew();
  const readings = items.flatMap(({ id }) => readingsOf(id, '--', '++', readers));
  const { recovered, original, harmed } = summarise(items, readings).all;
  near(recovered?.value, 1);
  // Wilson's interval of 10 in 10: n / (n + z²) = 10 / 13.8415.
  near(recovered?.low && Math.round(recovered.low * 1e6) / 1e6, 0.722467);
  near(recovered?.high, 1);
  near(original?.high && Math.round(original.high * 1e6) / 1e6, 0.277533);
  assert.equal(harmed, null);
});

test('where everything was read nothing can be recovered', () => {
  const { all } = summarise([item('a')], readingsOf('a', '++', '++', everybodyNew()));
  assert.equal(all.recovered, null);
  near(all.harmed?.value, 0);
});

/**
 * A pilot of readers whose abilities are known: a word is read when the reader's skill and luck exceed its difficulty.
 * Returns the readings, and the share recovered that the same people and words would give with endless readings.
 */
function simulate(seed: number): { items: TrialItem[]; readings: Reading[]; truth: number } {
  const random = createRandom(seed);
  const words = Array.from({ length: 120 }, () => ({ o: random() ** 1.5, gain: 0.7 * random() }));
  const items = words.map((_, index) => item(`w${index}`));
  const skills = Array.from({ length: 40 }, () => 0.8 + 0.4 * random());
  const chanceOf = (word: number, reader: number, form: Form): number => {
    const { o, gain } = words[word] as { o: number; gain: number };
    const share = form === 'original' ? o : o + (1 - o) * gain;
    return Math.min(1, share * (skills[reader] as number));
  };
  const mean = (word: number, form: Form): number =>
    skills.reduce((sum, _, reader) => sum + chanceOf(word, reader, form), 0) / skills.length;
  let [recovered, unread] = [0, 0];
  for (let word = 0; word < words.length; word++) {
    unread += 1 - mean(word, 'original');
    recovered += (1 - mean(word, 'original')) * mean(word, 'result');
  }
  const readings = items.flatMap(({ id }, word) =>
    skills.map((_, reader): Reading => {
      const form = (word + reader) % 2 === 0 ? 'original' : 'result';
      return { itemId: id, readerId: `r${reader}`, form, isRight: random() < chanceOf(word, reader, form) };
    }),
  );
  return { items, readings, truth: recovered / unread };
}

test('a simulated pilot gives back what its readers can do', (t) => {
  let inside = 0;
  const seeds = Array.from({ length: 20 }, (_, index) => 100 + index);
  for (const seed of seeds) {
    const { items, readings, truth } = simulate(seed);
    const recovered = summarise(items, readings, { seed }).all.recovered;
    assert.ok(recovered, 'there is something to recover');
    assert.ok(Math.abs(recovered.value - truth) < 0.05, `seed ${seed}: ${recovered.value} for ${truth}`);
    assert.ok(recovered.high - recovered.low < 0.3, `seed ${seed}: an interval that says something`);
    if (recovered.low <= truth && truth <= recovered.high) inside++;
  }
  t.diagnostic(`${inside} of ${seeds.length} intervals hold the truth, seeds from ${seeds[0]}`);
  assert.ok(inside >= 18, `${inside} of ${seeds.length}`);
});

test('the same seed gives the same intervals', () => {
  const { items, readings } = simulate(7);
  assert.deepEqual(summarise(items, readings, { seed: 3 }), summarise(items, readings, { seed: 3 }));
});

test('the interval of a share is Wilson’s', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20.
  const cases = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
  ] as const;
  for (const [hits, of, low, high] of cases) {
    const share = shareOf(hits, of);
    assert.ok(
      share && Math.abs(share.low - low) < 1e-4 && Math.abs(share.high - high) < 1e-4,
      `${hits} of ${of}`,
    );
  }
  assert.equal(shareOf(0, 0), null);
});

test('a quantile lies between its neighbours', () => {
  assert.equal(quantileOf([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantileOf([5], 0.95), 5);
  assert.ok(Number.isNaN(quantileOf([], 0.5)));
});
