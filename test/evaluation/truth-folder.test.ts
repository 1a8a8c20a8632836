/** A folder of photos with truth: what is wrong with it is said, with the file's name. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTruthFolder } from '../../src/evaluation/truth-folder.ts';
import { temporaryFolder } from '../helpers/engine.ts';

const LINE = { text: 'дом', language: 'ru', box: [1, 1, 9, 5], x_height: 4 };

test('a folder without truth.json, or with half of one, is refused by the file’s name', async (t) => {
  const folder = temporaryFolder(t);
  await assert.rejects(readTruthFolder(folder, 9), { code: 'INPUT_NOT_FOUND', message: /truth\.json/ });
  await writeFile(join(folder, 'truth.json'), '{"scale": 2');
  await assert.rejects(readTruthFolder(folder, 9), { code: 'USAGE', message: /truth\.json/ });
});

test('a malformed board is refused by its place, a missing picture by its name', async (t) => {
  const folder = temporaryFolder(t);
  const write = (line: object) => {
    const boards = [{ name: 'a', tier: 'mild', kind: 'white', lines: [line] }];
    return writeFile(join(folder, 'truth.json'), JSON.stringify({ scale: 2, boards }));
  };
  await write({ ...LINE, box: [9, 1, 1, 5] });
  await assert.rejects(readTruthFolder(folder, 9), { code: 'USAGE', message: /boards\.0\.lines\.0\.box/ });
  await write(LINE);
  await assert.rejects(readTruthFolder(folder, 9), { code: 'INPUT_NOT_FOUND', message: /a\.photo\.png/ });
  await writeFile(join(folder, 'a.photo.png'), 'photo');
  await assert.rejects(readTruthFolder(folder, 9), { code: 'INPUT_NOT_FOUND', message: /a\.truth\.png/ });
  await writeFile(join(folder, 'a.truth.png'), 'truth');
  const { scale, boards } = await readTruthFolder(folder, 9);
  assert.equal(scale, 2);
  assert.equal(boards[0]?.lines[0]?.xHeight, 4);
});
