/** What is printed for people: one line each, whatever the names hold, and stack traces for those who ask. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createProgressBar } from '../../src/cli/progress-bar.ts';
import { encode } from '../../src/engine/image-codec.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { boardsharp } from '../helpers/program.ts';

const PHOTO = await encode(drawBoard(24, 18), 'jpeg');
const ODD = 'a\n\x1b[31m\x9b.jpg';
const ODD_VISIBLE = 'a\\x0a\\x1b[31m\\x9b.jpg';

test('control characters of a name are shown, not obeyed; JSON has the name as it is', {
  skip: process.platform === 'win32',
}, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, ODD), PHOTO);
  writeFileSync(join(folder, `broken ${ODD}`), 'no photo');
  const run = await boardsharp(['upscale', '.', '-o', 'out'], { folder, env: { LOG_LEVEL: 'silent' } });
  assert.ok(run.stdout.startsWith(`${ODD_VISIBLE} → out/${ODD_VISIBLE}  `), run.stdout);
  assert.ok(run.stderr.startsWith(`broken ${ODD_VISIBLE}: `), run.stderr);
  assert.deepEqual([run.stdout.split('\n').length, run.stderr.split('\n').length], [2, 2]);
  const json = await boardsharp(['upscale', ODD, '--json'], { folder });
  assert.equal(JSON.parse(json.stdout).input.path, ODD);
  const wrong = await boardsharp([ODD], { folder });
  assert.match(wrong.stderr, /^boardsharp: .*"a\\x0a\\x1b\[31m.*\n$/);
});

test('control characters are not obeyed in the progress bar either', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  createProgressBar(terminal).show(0.5, ODD);
  assert.ok(String(terminal.read()).includes(ODD_VISIBLE));
});

test('LOG_LEVEL=debug shows where an error came from, for one photo and for all, from .env too', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'cut.jpg'), PHOTO.subarray(0, PHOTO.length / 2));
  const quiet = await boardsharp(['upscale', 'cut.jpg'], { folder });
  assert.doesNotMatch(quiet.stderr, /\n\s+at /);
  writeFileSync(join(folder, '.env'), 'LOG_LEVEL=debug\n');
  const photo = await boardsharp(['upscale', 'cut.jpg'], { folder });
  assert.match(photo.stderr, /IMAGE_BROKEN|cannot be decoded/);
  assert.match(photo.stderr, /\n\s+at .*\ncaused by: /s);
  const usage = await boardsharp(['upscale'], { folder });
  assert.match(usage.stderr, /^boardsharp: .*\n.*\n\s+at /);
  const settings = await boardsharp(['upscale', 'cut.jpg'], { folder, env: { PORT: 'http' } });
  assert.match(settings.stderr, /\n\s+at /);
});

test('a .env that cannot be read is the error, not a crash', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, '.env'));
  const run = await boardsharp(['upscale', 'a.jpg'], { folder });
  assert.equal(run.exitCode, 2);
  assert.match(run.stderr, /^boardsharp: Settings are wrong: .*\.env cannot be read.*\n$/);
});
