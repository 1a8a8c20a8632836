import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode, encode } from '../../src/engine/image-codec.ts';
import { openEmbedded } from '../../src/storage/embedded-database.ts';
import { readVersions } from '../../src/storage/migrations.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { boardsharp, inShell } from '../helpers/program.ts';

const PHOTO = await encode(drawBoard(48, 36), 'jpeg');
const NOBODY = 65_534;

test('a photo gets its result beside it; a second run does not touch it without --force', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'board.jpg'), PHOTO);
  const first = await boardsharp(['upscale', 'board.jpg'], { folder });
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(
    first.stdout,
    /board\.jpg → board-boardsharp\.jpg {2}48×36 → 192×144, boardsharp-x4, \w+, [\d.]+ s/,
  );
  const result = readFileSync(join(folder, 'board-boardsharp.jpg'));
  assert.equal((await decode(result, 'jpeg', { maxPixels: 1e6 })).width, 192);
  const second = await boardsharp(['upscale', 'board.jpg', '--scale', '2'], { folder });
  assert.equal(second.exitCode, 1);
  assert.match(
    second.stderr,
    /^board\.jpg: The output file exists already: board-boardsharp\.jpg\. Use --force/m,
  );
  assert.deepEqual(readFileSync(join(folder, 'board-boardsharp.jpg')), result);
  const forced = await boardsharp(['upscale', 'board.jpg', '--scale', '2', '--force'], { folder });
  assert.equal(forced.exitCode, 0, forced.stderr);
  assert.deepEqual(readdirSync(folder).sort(), ['board-boardsharp.jpg', 'board.jpg']);
});

test('a folder, broken files and a missing one: the good are done, each bad one is named, exit 1', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in/a.jpg'), PHOTO);
  writeFileSync(join(folder, 'in/b.png'), await encode(drawBoard(20, 20), 'png'));
  writeFileSync(join(folder, 'in/cut.jpg'), PHOTO.subarray(0, PHOTO.length / 2));
  writeFileSync(join(folder, 'in/empty.jpg'), '');
  writeFileSync(join(folder, 'in/notes.txt'), 'not a photo');
  writeFileSync(join(folder, 'in/text.jpg'), 'not a photo either');
  const run = await boardsharp(['upscale', 'in', 'gone.jpg', '-o', 'out', '--json', '--format', 'png'], {
    folder,
  });
  assert.equal(run.exitCode, 1);
  const lines = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const outcome = Object.fromEntries(
    lines.map(({ status, input, error }) => [input.path, error?.code ?? status]),
  );
  assert.deepEqual(outcome, {
    'in/a.jpg': 'done',
    'in/b.png': 'done',
    'in/cut.jpg': 'IMAGE_BROKEN',
    'in/empty.jpg': 'INPUT_EMPTY',
    'in/text.jpg': 'NOT_AN_IMAGE',
    'gone.jpg': 'INPUT_NOT_FOUND',
  });
  assert.deepEqual(readdirSync(join(folder, 'out')).sort(), ['a.png', 'b.png']);
  const done = lines.find(({ input }) => input.path === 'in/a.jpg');
  assert.deepEqual(done.output, {
    ...done.output,
    path: 'out/a.png',
    width: 192,
    height: 144,
    format: 'png',
  });
  assert.equal(done.look, 'natural');
  assert.ok(['accepted', 'softened', 'fallback'].includes(done.quality.verdict));
  assert.equal(run.stderr.split('\n').filter((line) => /^(in|gone)/.test(line)).length, 4);
  assert.doesNotMatch(run.stderr, /\n\s+at /, 'no stack traces');
});

test('a pipe among the photos is named, not waited for', {
  skip: process.platform === 'win32',
}, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), PHOTO);
  execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
  const run = await boardsharp(['upscale', '.', '-o', 'out'], { folder });
  assert.equal(run.exitCode, 1);
  assert.match(run.stderr, /pipe\.jpg: The file cannot be read: pipe\.jpg is not a file/);
  assert.deepEqual(readdirSync(join(folder, 'out')), ['a.jpg']);
});

test('names that are not UTF-8 are read from their folder; named alone, the error says what to do', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'in'));
  // Old cameras and archives: Latin-1, in which é is one byte.
  writeFileSync(Buffer.from(join(folder, 'in/caf\xe9.jpg'), 'latin1'), PHOTO);
  const run = await boardsharp(['upscale', 'in', '-o', 'out'], { folder });
  assert.equal(run.exitCode, 0, run.stderr);
  assert.deepEqual(readdirSync(join(folder, 'out')), ['caf\ufffd.jpg']);
  const alone = await inShell("boardsharp upscale in/caf$'\\xe9'.jpg", { folder });
  assert.equal(alone.exitCode, 1);
  assert.match(alone.stderr, /not UTF-8.*Rename it, or name its folder/);
});

test('two photos of one name do not overwrite each other', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), PHOTO);
  writeFileSync(join(folder, 'a.png'), await encode(drawBoard(20, 20), 'png'));
  const run = await boardsharp(['upscale', 'a.jpg', 'a.png', '-o', 'out'], { folder });
  assert.equal(run.exitCode, 1);
  assert.match(run.stderr, /a\.png: .*another photo of this run becomes out\/a\.jpg/);
  assert.deepEqual(readdirSync(join(folder, 'out')), ['a.jpg']);
});

test('the ending of -o chooses the format', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), PHOTO);
  const run = await boardsharp(['upscale', 'a.jpg', '-o', 'new/b.webp', '--model', 'boardsharp-x2'], {
    folder,
  });
  assert.equal(run.exitCode, 0, run.stderr);
  assert.equal(readFileSync(join(folder, 'new/b.webp')).toString('latin1', 8, 12), 'WEBP');
});

const WRONG_USAGE = [
  [[], /no command was given/],
  [['upscal'], /there is no command "upscal"/],
  [['upscale'], /needs at least one photo/],
  [['upscale', 'a.jpg', '--scale', '3'], /--scale must be one of 2, 4, not "3"/],
  [['upscale', 'a.jpg', '--colour'], /Unknown option '--colour'/],
  [['upscale', 'a.jpg', '--look', 'shiny'], /--look must be one of natural, clean/],
  [['upscale', 'a.jpg', '-o', 'b.png', '--format', 'webp'], /does not fit/],
  [['doctor', 'now'], /Unexpected argument/],
] as const;

for (const [args, message] of WRONG_USAGE) {
  test(`boardsharp ${args.join(' ')} is wrong usage: one line, exit 2`, async (t) => {
    const run = await boardsharp(args, { folder: temporaryFolder(t) });
    assert.equal(run.exitCode, 2);
    assert.match(run.stderr, message);
    assert.equal(run.stderr.trim().split('\n').length, 1);
  });
}

test('wrong settings are reported together, exit 2', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, '.env'), 'MAX_INPUT_SIDE=huge\nPORT=http\n');
  const run = await boardsharp(['upscale', 'a.jpg'], { folder, env: { EXECUTION_PROVIDER: 'tpu' } });
  assert.equal(run.exitCode, 2);
  assert.match(run.stderr, /EXECUTION_PROVIDER.*MAX_INPUT_SIDE.*PORT/);
});

const WRONG_MODELS = [
  [['--model', 'esrgan'], {}, /not understood: --model esrgan .*there are boardsharp-x2.*boardsharp models/],
  [['--model', 'boardsharp-x2', '--scale', '4'], {}, /not understood: boardsharp-x2 enlarges by 2, not by 4/],
  [[], { MODEL: 'nonsense' }, /Settings are wrong: MODEL=nonsense .*there are boardsharp-x2/],
] as const;

for (const [args, env, message] of WRONG_MODELS) {
  test(`a wrong choice of model is said once, not for every photo: ${message.source}`, async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['a.jpg', 'b.jpg']) writeFileSync(join(folder, name), PHOTO);
    const run = await boardsharp(['upscale', '.', ...args], { folder, env });
    assert.equal(run.exitCode, 2);
    assert.match(run.stderr, message);
    assert.equal(run.stderr.trim().split('\n').length, 1, run.stderr);
  });
}

test('--model and --scale outweigh MODEL', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), PHOTO);
  const unused = ['upscale', 'a.jpg', '--model', 'boardsharp-x2', '--json'];
  const named = await boardsharp(unused, { folder, env: { MODEL: 'nonsense' } });
  assert.equal(JSON.parse(named.stdout).model, 'boardsharp-x2');
  const scaled = await boardsharp(['upscale', 'a.jpg', '--scale', '4', '--json', '--force'], {
    folder,
    env: { MODEL: 'boardsharp-x2' },
  });
  assert.equal(JSON.parse(scaled.stdout).model, 'boardsharp-x4');
});

test('a file that may not be read and a folder that may not be written are named', {
  skip: process.platform === 'win32',
}, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), PHOTO);
  writeFileSync(join(folder, 'secret.jpg'), PHOTO, { mode: 0 });
  mkdirSync(join(folder, 'locked'), { mode: 0o500 });
  chmodSync(folder, 0o777);
  // Root may read and write everything, so nobody does it.
  const user = process.getuid?.() === 0 ? { uid: NOBODY } : {};
  const unread = await boardsharp(['upscale', 'secret.jpg', 'a.jpg', '-o', 'out'], { folder, ...user });
  assert.match(unread.stderr, /^secret\.jpg: The file cannot be read.*EACCES/m);
  assert.deepEqual(readdirSync(join(folder, 'out')), ['a.jpg']);
  const unwritten = await boardsharp(['upscale', 'a.jpg', '-o', 'locked'], { folder, ...user });
  assert.match(unwritten.stderr, /^a\.jpg: The result cannot be written.*EACCES/m);
  chmodSync(join(folder, 'locked'), 0o700);
  assert.deepEqual(readdirSync(join(folder, 'locked')), []);
});

test('a result that cannot be written leaves nothing behind', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), PHOTO);
  writeFileSync(join(folder, 'file'), 'in the way');
  const run = await boardsharp(['upscale', 'a.jpg', '-o', 'file/a.jpg'], { folder });
  assert.equal(run.exitCode, 1);
  assert.match(run.stderr, /The result cannot be written: file\/a\.jpg \(E(NOTDIR|EXIST)\)/);
  assert.deepEqual(readdirSync(folder).sort(), ['a.jpg', 'file']);
});

for (const [cause, signal] of [
  ['Ctrl-C', 'SIGINT'],
  ['a closed terminal', 'SIGHUP'],
] as const) {
  test(`${cause} ends with 130, keeps what is finished and leaves no partial file`, {
    skip: process.platform === 'win32',
  }, async (t) => {
    const folder = temporaryFolder(t);
    const large = await encode(drawBoard(1600, 1200), 'jpeg');
    writeFileSync(join(folder, 'a.jpg'), PHOTO);
    for (const name of ['b', 'c', 'd']) writeFileSync(join(folder, `${name}.jpg`), large);
    const interruptAfter = /a\.jpg → /;
    const run = await boardsharp(['upscale', '.', '-o', 'out'], { folder, interruptAfter, signal });
    assert.equal(run.exitCode, 130);
    assert.match(run.stderr, /Cancelled: finished results are kept/);
    assert.ok(existsSync(join(folder, 'out/a.jpg')));
    const rest = readdirSync(join(folder, 'out'));
    assert.ok(!rest.some((name) => name.endsWith('.part')), rest.join());
    assert.ok(rest.length < 4, rest.join());
  });
}

test('--version and --help answer', async (t) => {
  const folder = temporaryFolder(t);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal((await boardsharp(['--version'], { folder })).stdout.trim(), version);
  for (const args of [['--help'], ['upscale', '--help']]) {
    const help = await boardsharp(args, { folder });
    assert.equal(help.exitCode, 0);
    assert.match(help.stdout, /Usage: boardsharp/);
  }
});

test('doctor finds a healthy installation healthy, and says what is wrong with a sick one', async (t) => {
  const folder = temporaryFolder(t);
  const healthy = await boardsharp(['doctor'], { folder });
  assert.equal(healthy.exitCode, 0, healthy.stdout);
  assert.match(healthy.stdout, /ok {4}scale 4: boardsharp-x4 .* runs on \w+/);
  assert.match(
    healthy.stdout,
    /ok {4}database: embedded in .*; the next start brings its tables up to date\n/,
  );
  const db = await openEmbedded(join(folder, 'data', 'database'));
  t.after(() => db.close());
  assert.deepEqual(await readVersions(db).then(({ version }) => version), 0, 'to look is not to change');
  const sick = await boardsharp(['doctor'], { folder, env: { MODEL: 'swin2sr-classical-x2' } });
  assert.equal(sick.exitCode, 1);
  assert.match(sick.stdout, /FAIL {2}scale 2: The model is not installed: .*models pull/);
  assert.match(sick.stdout, /ok {4}database: .* in use by a Boardsharp that runs/);
  const wrong = await boardsharp(['doctor'], { folder, env: { PORT: 'x' } });
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.stdout, /FAIL {2}settings: .*PORT must be a whole number/);
});
