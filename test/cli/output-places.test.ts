/** Where results go, and what is never written over. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseTarget, planOutputs } from '../../src/cli/outputs.ts';
import { findPhotos } from '../../src/cli/photos.ts';
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
  const tasks = await planOutputs(await findPhotos([folder]), {
    kind: 'folder',
    path: folder,
    format: 'jpeg',
  });
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
  const [, second] = await planOutputs(photos, { kind: 'beside', path: '', format: 'jpeg' });
  assert.match(second?.error?.message ?? '', /another photo of this run becomes/);
});

test('a photo that comes to lie where the result goes is not replaced either', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.png'), PNG);
  const photos = await findPhotos([join(folder, 'a.png')]);
  const [task] = await planOutputs(photos, { kind: 'folder', path: join(folder, 'out'), format: 'jpeg' });
  mkdirSync(join(folder, 'out'));
  symlinkSync('../a.png', join(folder, 'out/a.jpg'));
  const keep = new Set(photos.flatMap(({ identity }) => identity ?? []));
  await assert.rejects(writeResult(task?.output ?? '', JPEG, { replace: true, keep }), {
    code: 'OUTPUT_EXISTS',
  });
  assert.deepEqual(readdirSync(join(folder, 'out')), ['a.jpg']);
});

const WRONG_TARGETS = [
  [['a.jpg', '-o', 'out.tiff'], /out\.tiff .*jpg, png and webp/],
  [['a.jpg', 'a.png', '-o', 'two.jpg'], /two\.jpg names one file.*2 photos/],
  [['a.jpg', 'a.png', '-o', 'there.jpg'], /there\.jpg is a file.*2 photos/],
  [['a.jpg', '-o', 'notes.txt'], /notes\.txt is a file/],
] as const;

for (const [args, message] of WRONG_TARGETS) {
  test(`boardsharp upscale ${args.join(' ')} is wrong usage and makes nothing`, async (t) => {
    const folder = temporaryFolder(t);
    const before = ['a.jpg', 'a.png', 'notes.txt', 'there.jpg'];
    for (const name of before) writeFileSync(join(folder, name), name.endsWith('png') ? PNG : JPEG);
    const run = await boardsharp(['upscale', ...args, '--force'], { folder });
    assert.equal(run.exitCode, 2);
    assert.match(run.stderr, message);
    assert.deepEqual(readdirSync(folder).sort(), before);
  });
}

test('a folder may be named like a picture, if it exists or a slash says so', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'old.tiff'));
  writeFileSync(join(folder, 'a.jpg'), JPEG);
  const photos = await findPhotos([join(folder, 'a.jpg')]);
  for (const name of ['old.tiff', 'new.png/']) {
    const target = await chooseTarget(join(folder, name), photos.length, undefined);
    const [task] = await planOutputs(photos, target);
    assert.equal(task?.output, join(folder, name, 'a.jpg'));
  }
});

test('a place that cannot be written is noticed before the photo is read', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), 'the network would refuse this');
  writeFileSync(join(folder, 'file'), 'in the way');
  const long = `${'я'.repeat(126)}.jpg`;
  writeFileSync(join(folder, `${'я'.repeat(125)}.jpg`), 'and this');
  for (const [photo, ...target] of [
    ['a.jpg', '-o', 'file/results/'],
    ['a.jpg', '-o', long],
    [`${'я'.repeat(125)}.jpg`],
  ] as const) {
    const run = await boardsharp(['upscale', photo, ...target], { folder });
    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /The result cannot be written: .* \((ENOTDIR|EEXIST|ENAMETOOLONG)\)/);
  }
});

test('a name as long as the system allows gets its result', async (t) => {
  const folder = temporaryFolder(t);
  const name = `${'я'.repeat(119)}.jpg`;
  writeFileSync(join(folder, name), JPEG);
  const run = await boardsharp(['upscale', name], { folder });
  assert.equal(run.exitCode, 0, run.stderr);
  assert.equal(readdirSync(folder).length, 2);
});
