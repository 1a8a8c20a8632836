/** `boardsharp evaluate` from the folder to the report, with the real network, and the real reader where it is installed. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encode } from '../../src/engine/image-codec.ts';
import { findTesseract } from '../../src/evaluation/tesseract.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { boardsharp } from '../helpers/program.ts';

const READER = await findTesseract();

/** Two boards, `factor` times as large as their photos. */
async function writeSet(folder: string, factor: number): Promise<void> {
  const line = { text: 'дом 12', language: 'ru', box: [8, 8, 60, 30], x_height: 6 };
  const boards = ['a', 'b'].map((name) => ({ name, tier: 'mild', kind: 'white', lines: [line] }));
  writeFileSync(join(folder, 'truth.json'), JSON.stringify({ scale: 2, boards }));
  for (const { name } of boards) {
    writeFileSync(join(folder, `${name}.photo.jpg`), await encode(drawBoard(48, 36), 'jpeg'));
    writeFileSync(
      join(folder, `${name}.truth.png`),
      await encode(drawBoard(48 * factor, 36 * factor), 'png'),
    );
  }
}

test('two boards give one report in three forms, and a second run measures nothing again', async (t) => {
  const folder = temporaryFolder(t);
  await writeSet(folder, 2);
  const models = 'boardsharp-x2,boardsharp-x4';
  const args = ['evaluate', '.', '--out', 'out', '--models', models, '--choose'];
  const first = await boardsharp(args, { folder });
  assert.equal(first.exitCode, 0, first.stderr);
  const figures = JSON.parse(readFileSync(join(folder, 'out/report.json'), 'utf8'));
  const names = figures.methods.map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ['bicubic', 'bicubic-again', 'lanczos', 'boardsharp-x2', 'boardsharp-x4', 'truth']);
  assert.equal(figures.boards, 2);
  assert.match(readFileSync(join(folder, 'out/report.md'), 'utf8'), /\| boardsharp-x2 \|/);
  assert.match(readFileSync(join(folder, 'out/report.html'), 'utf8'), /<td>boardsharp-x2<\/td>/);
  assert.match(first.stdout, /Default for x2 by the rule: boardsharp-x2|No model qualifies for x2/);
  const chosen = [figures.choice.model, ...figures.choice.lost.map(({ model }: { model: string }) => model)];
  assert.ok(!chosen.includes('boardsharp-x4'), 'a model of x4 is compared, and no candidate at x2');
  const kept = join(folder, 'out/measured');
  const times = () => readdirSync(kept).map((file) => [file, statSync(join(kept, file)).mtimeMs]);
  const before = times();
  assert.ok(before.length >= 4);
  assert.equal((await boardsharp(args, { folder })).exitCode, 0);
  assert.deepEqual(times(), before);
});

test('the reader reads every line in both ways', {
  skip: READER === undefined && 'Tesseract with rus and eng is not installed',
}, async (t) => {
  const folder = temporaryFolder(t);
  await writeSet(folder, 2);
  const run = await boardsharp(['evaluate', '.', '--models', 'boardsharp-x2'], { folder });
  assert.equal(run.exitCode, 0, run.stderr);
  const { methods } = JSON.parse(readFileSync(join(folder, 'evaluation/report.json'), 'utf8'));
  for (const { cells } of methods) {
    assert.equal(cells.patient[0].lines, 2);
    assert.equal(cells.plain[0].counts.letters, 12);
  }
  assert.match(readFileSync(join(folder, 'evaluation/report.html'), 'utf8'), /data:image\/jpeg;base64/);
});

test('a truth of another size is refused by the board’s name, a model of another scale by its own', async (t) => {
  const folder = temporaryFolder(t);
  await writeSet(folder, 3);
  const wrong = await boardsharp(['evaluate', '.', '--models', 'boardsharp-x2'], { folder });
  assert.notEqual(wrong.exitCode, 0);
  assert.match(wrong.stderr, /a: bicubic gives 96×72, the truth is 144×108/);
  const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8'));
  writeFileSync(join(folder, 'truth.json'), JSON.stringify({ ...truth, scale: 4 }));
  const other = await boardsharp(['evaluate', '.', '--models', 'boardsharp-x2'], { folder });
  assert.equal(other.exitCode, 2);
  assert.match(other.stderr, /boardsharp-x2 enlarges by 2/);
});
