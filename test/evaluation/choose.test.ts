/** The rule that chooses a default, on planted figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseModel } from '../../src/evaluation/choose.ts';
import type { Figures, MethodFigures } from '../../src/evaluation/figures.ts';
import type { Cell } from '../../src/evaluation/letter-cells.ts';
import { htmlReport, markdownReport } from '../../src/evaluation/report.ts';

const NOTHING = { value: 0, low: 0, high: 0 };

function cell(name: string, wrong: number, overLow: number, boards = 4): Cell {
  const words = { words: 10, read: 5, recoverable: 3, recovered: 2, harmable: 3, harmed: 1 };
  const counts = { letters: 100, wrong, ...words };
  const overBicubic = { value: overLow + 0.05, low: overLow, high: overLow + 0.1 };
  const shares = {
    wordAccuracy: NOTHING,
    recovered: NOTHING,
    harmed: NOTHING,
    harmedBeyondNoise: NOTHING,
    harmedBeyondChance: NOTHING,
  };
  const figures = { ...shares, gapClosed: NOTHING, overRival: NOTHING, textPsnr: NOTHING, textSsim: NOTHING };
  return { name, boards, lines: 4, counts, cer: wrong / 100, cerInterval: NOTHING, overBicubic, figures };
}

const CROSSED = '< 5 px · white · ru · mild';

function method(
  name: string,
  { wrong = 10, overLow = -0.2, seconds = 1, crossed = [] as Cell[] } = {},
): MethodFigures {
  const patient = [cell('all', wrong, -0.2), cell('tier: hard', wrong, overLow)];
  const scores = { psnr: NOTHING, ssim: NOTHING, textPsnr: NOTHING, textSsim: NOTHING };
  const over = { psnrOverBicubic: NOTHING, textPsnrOverBicubic: NOTHING, ssimOverBicubic: NOTHING };
  const pictures = [{ name: 'all', boards: 2, ...scores, ...over }];
  const sums = { psnr: 30, psnrInterval: NOTHING, ssim: 0.9, textPsnr: 25, pictures, memoryMb: 300 };
  return { name, seconds, ...sums, cells: { plain: patient, patient }, crossed };
}

function figures(...models: MethodFigures[]): Figures {
  const methods = [method('bicubic', { wrong: 1 }), ...models, method('truth', { wrong: 0 })];
  const set = { scale: 2, seed: 1, boards: 2, lines: 4, photoPixels: 1280 * 960 };
  return { ...set, reader: 'tesseract 5', rival: null, methods, worst: [] };
}

test('the fewest letter errors win, among those that harm no cell and keep the budget', () => {
  const { model, lost } = chooseModel(
    figures(
      method('harms', { wrong: 2, overLow: 0.01 }),
      method('slow', { wrong: 3, seconds: 4 }),
      method('second', { wrong: 6 }),
      method('best', { wrong: 5 }),
    ),
    3,
  );
  assert.equal(model, 'best');
  assert.deepEqual(
    lost.map((loser) => loser.model),
    ['harms', 'slow', 'second'],
  );
  assert.match(lost[0]?.why ?? '', /tier: hard/);
  assert.match(lost[1]?.why ?? '', /4\.0 s/);
});

test('of equal letter errors the faster wins', () => {
  const { model } = chooseModel(figures(method('a', { seconds: 2 }), method('b', { seconds: 1 })), 3);
  assert.equal(model, 'b');
});

test('harm in a cell of all four dimensions refuses a model, from five boards on', () => {
  const few = method('few', { crossed: [cell(CROSSED, 1, 0.01, 4)] });
  assert.equal(chooseModel(figures(few), 3).model, 'few');
  const enough = method('enough', { crossed: [cell(CROSSED, 1, 0.01, 5)] });
  const { model, lost } = chooseModel(figures(enough), 3);
  assert.equal(model, undefined);
  assert.ok(lost[0]?.why.includes(CROSSED));
});

test('no model wins where all harm, or where no letters were read', () => {
  assert.equal(chooseModel(figures(method('harms', { overLow: 0.01 })), 3).model, undefined);
  assert.equal(chooseModel({ ...figures(method('a')), reader: null }, 3).model, undefined);
});

test('the report shows every method and cell, and a page that loads nothing and runs nothing', () => {
  const line = { text: '<b>дом', language: 'ru', box: [1, 1, 9, 5] as const, xHeight: 4 };
  const texts = { bicubic: 'до', result: 'лом', truth: 'дом' };
  const worst = [{ method: 'ours', board: 'board-1', line, moreErrors: 1, ...texts }];
  const ours = method('ours', {
    crossed: [cell(CROSSED, 7, 0.01), cell('≥ 8 px · white · ru · mild', 1, -0.2)],
  });
  const choice = { model: 'ours', lost: [{ model: 'theirs', why: 'too slow' }] };
  const all = { ...figures(ours), worst, choice };
  const pictures = [{ bicubic: 'data:,1', result: 'data:,2', truth: 'data:,3' }];
  for (const text of [markdownReport(all), htmlReport(all, pictures)]) {
    for (const part of ['bicubic', 'ours', 'truth', 'tier: hard', '0.100', '2/3', 'too slow', '1 of 2 cells'])
      assert.ok(text.includes(part), part);
    // Both readers in every cell, and the harmed cell by its name.
    assert.equal(text.split('Letters, tier: hard').length, 3);
    assert.ok(text.includes('5 px · white · ru · mild'));
    assert.ok(!text.includes('8 px · white · ru · mild'));
  }
  const page = htmlReport(all, pictures);
  assert.ok(page.includes('&lt;b&gt;дом') && page.includes('data:,2'));
  assert.doesNotMatch(page, /<script|<link|https?:/);
});
