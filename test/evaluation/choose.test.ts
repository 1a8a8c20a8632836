/** The rule that chooses a default, on planted figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseModel } from '../../src/evaluation/choose.ts';
import type { Cell, Figures, MethodFigures } from '../../src/evaluation/figures.ts';
import { htmlReport, markdownReport } from '../../src/evaluation/report.ts';

const NOTHING = { low: 0, high: 0 };

function cell(name: string, wrong: number, overLow: number): Cell {
  const words = { words: 10, read: 5, recoverable: 3, recovered: 2, harmable: 3, harmed: 1 };
  const counts = { letters: 100, wrong, ...words };
  const overBicubic = { low: overLow, high: overLow + 0.1 };
  return { name, lines: 4, counts, cer: wrong / 100, cerInterval: NOTHING, overBicubic };
}

function method(name: string, { wrong = 10, overLow = -0.2, seconds = 1 } = {}): MethodFigures {
  const patient = [cell('all', wrong, -0.2), cell('tier: hard', wrong, overLow)];
  const pictures = { psnr: 30, psnrInterval: NOTHING, ssim: 0.9, textPsnr: 25, memoryMb: 300 };
  return { name, seconds, ...pictures, cells: { plain: patient, patient } };
}

function figures(...models: MethodFigures[]): Figures {
  const methods = [method('bicubic', { wrong: 1 }), ...models, method('truth', { wrong: 0 })];
  const set = { scale: 2, seed: 1, boards: 2, lines: 4, photoPixels: 1280 * 960 };
  return { ...set, reader: 'tesseract 5', methods, worst: [] };
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

test('no model wins where all harm, or where no letters were read', () => {
  assert.equal(chooseModel(figures(method('harms', { overLow: 0.01 })), 3).model, undefined);
  assert.equal(chooseModel({ ...figures(method('a')), reader: null }, 3).model, undefined);
});

test('the report shows every method and cell, and a page that loads nothing and runs nothing', () => {
  const line = { text: '<b>дом', language: 'ru', box: [1, 1, 9, 5] as const, xHeight: 4 };
  const texts = { bicubic: 'до', result: 'лом', truth: 'дом' };
  const worst = [{ method: 'ours', board: 'board-1', line, moreErrors: 1, ...texts }];
  const all = { ...figures(method('ours')), worst };
  const pictures = [{ bicubic: 'data:,1', result: 'data:,2', truth: 'data:,3' }];
  for (const text of [markdownReport(all), htmlReport(all, pictures)]) {
    for (const part of ['bicubic', 'ours', 'truth', 'tier: hard', '0.100', '2/3'])
      assert.ok(text.includes(part), part);
  }
  const page = htmlReport(all, pictures);
  assert.ok(page.includes('&lt;b&gt;дом') && page.includes('data:,2'));
  assert.doesNotMatch(page, /<script|<link|https?:/);
});
