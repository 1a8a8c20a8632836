/** Where results go, and what is never written over. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPhotos, planOutputs } from '../../src/cli/photos.ts';
import { writeResult } from '../../src/cli/result-file.ts';
import { encode } from '../../src/engine/image-codec.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { boardsharp } from '../helpers/program.ts';

const JPEG = await encode(drawBoard(24, 18), 'jpeg');
const PNG = await encode(drawBoard(24, 18), 'png');

test('--force never writes over a photo of the same run, also through a link', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'p'));
  writeFileSync(join(folder, 'p/a.jpg'), JPEG);
  writeFileSync(join(folder, 'p/a.png'), PNG);
  symlinkSync('p', join(folder, 'link'));
  for (const place of ['p', 'link']) {
    const run = await boardsharp(['upscale', 'p', '-o', place, '--force'], { folder });
    assert.equal(run.exitCode, 1);
    const lines = run.stderr.split('\n').filter((line) => line.startsWith('p/'));
    assert.equal(lines.length, 2, run.stderr);
    for (const line of lines) assert.match(line, /a\.jpg is one of the photos\. Use -o for another place\.$/);
    assert.deepEqual(readFileSync(join(folder, 'p/a.jpg')), Buffer.from(JPEG));
    assert.deepEqual(readdirSync(join(folder, 'p')).sort(), ['a.jpg', 'a.png']);
  }
});

test('capitals do not hide that a result would replace a photo', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['A.JPG', 'A.jpg']) writeFileSync(join(folder, name), JPEG);
  const tasks = await planOutputs(await findPhotos([folder]), folder, 'jpeg');
  // Two photos, or one where the file system knows no capitals.
  for (const { error } of tasks) assert.equal(error?.code, 'OUTPUT_EXISTS');
});

test('two names of one folder do not let one result replace another', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'p'));
  writeFileSync(join(folder, 'p/a.jpg'), JPEG);
  writeFileSync(join(folder, 'p/a.png'), PNG);
  symlinkSync('p', join(folder, 'link'));
  const photos = await findPhotos([join(folder, 'p/a.jpg'), join(folder, 'link/a.png')]);
  const [, second] = await planOutputs(photos, undefined, 'jpeg');
  assert.match(second?.error?.message ?? '', /another photo of this run becomes/);
});

test('a photo that comes to lie where the result goes is not replaced either', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.png'), PNG);
  const photos = await findPhotos([join(folder, 'a.png')]);
  const [task] = await planOutputs(photos, join(folder, 'out'), 'jpeg');
  mkdirSync(join(folder, 'out'));
  symlinkSync('../a.png', join(folder, 'out/a.jpg'));
  const keep = new Set(photos.flatMap(({ identity }) => identity ?? []));
  await assert.rejects(writeResult(task?.output ?? '', JPEG, { replace: true, keep }), {
    code: 'OUTPUT_EXISTS',
  });
  assert.deepEqual(readdirSync(join(folder, 'out')), ['a.jpg']);
});
