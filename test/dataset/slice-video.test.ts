/** `boardsharp dataset slice` on a lecture that the test films itself: boards are written and wiped, a lecturer walks by. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { frameAt, openVideo, sampleFrames } from '../../src/dataset/video.ts';
import { decode } from '../../src/engine/image-codec.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { drawPage, type Mark, writePage } from '../engine/drawn-board.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { boardsharp } from '../helpers/program.ts';
import { seededRandom } from '../helpers/seed.ts';

const HAS_FFMPEG = spawnSync('ffmpeg', ['-version']).status === 0;
const skip = !HAS_FFMPEG && 'ffmpeg is not installed';
const [WIDTH, HEIGHT] = [640, 360];
const PERSON = { width: 90, height: 300, grey: 150 };

/** One second of film: what is on the board, and where the lecturer's left edge is, if anywhere. */
interface Second {
  readonly marks: readonly Mark[];
  readonly person?: number;
}

test('a lecture becomes one picture for each board, at its fullest, with nobody before it', {
  skip,
}, async (t) => {
  const random = seededRandom(t);
  const [first, second] = [1, 2].map(() => writePage(WIDTH, HEIGHT, 16, random)) as [Mark[], Mark[]];
  const part = (marks: Mark[], share: number): Mark[] => marks.slice(0, Math.round(marks.length * share));
  const hold = (seconds: number, marks: readonly Mark[]): Second[] =>
    Array.from({ length: seconds }, () => ({ marks }));
  const walk = (marks: readonly Mark[]): Second[] =>
    [0, 60, 140, 250, 260, 262, 262, 380, 470, 560].map((person) => ({ marks, person }));
  const film = [
    ...[...hold(12, []), ...hold(15, part(first, 0.4)), ...walk(part(first, 0.4)), ...hold(15, first)],
    ...[...walk(first), ...hold(12, first), ...hold(6, []), ...hold(25, second), ...walk(second)],
    ...[...hold(10, second), ...hold(25, first)],
  ];
  const folder = temporaryFolder(t);
  await shoot(film, join(folder, 'lecture.mp4'));
  const run = await boardsharp(['dataset', 'slice', 'lecture.mp4'], { folder });
  assert.equal(run.exitCode, 0, run.stderr);
  const names = readdirSync(join(folder, 'lecture-boards')).sort();
  assert.equal(names.length, 2, names.join(' '));
  assert.deepEqual(
    run.stdout.trim().split('\n'),
    names.map((name) => join('lecture-boards', name)),
  );
  for (const [i, marks] of [first, second].entries()) {
    const bytes = readFileSync(join(folder, 'lecture-boards', names[i] ?? ''));
    const picture = await decode(bytes, 'png', { maxPixels: 1e6 });
    const apart = difference(picture, still({ marks }));
    assert.ok(apart < 4, `picture ${i + 1} is ${apart.toFixed(1)}/255 from its board`);
  }
  const again = await boardsharp(['dataset', 'slice', 'lecture.mp4'], { folder });
  assert.equal(again.exitCode, 1);
  assert.match(again.stderr, /exists already.*lecture-001.*--force/);
});

test('an empty board gives no picture and says so', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  await shoot(
    Array.from({ length: 8 }, () => ({ marks: [] })),
    join(folder, 'empty.mp4'),
  );
  const run = await boardsharp(['dataset', 'slice', 'empty.mp4'], { folder });
  assert.equal(run.exitCode, 1);
  assert.match(run.stderr, /No board with writing was seen/);
});

test('what is no video is told with the next step', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'notes.mp4'), 'not a film');
  const run = await boardsharp(['dataset', 'slice', 'notes.mp4'], { folder });
  assert.equal(run.exitCode, 1);
  assert.match(run.stderr, /video cannot be read.*Check/);
});

test('without ffmpeg it says what to install; wrong usage is told as such', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'a.mp4'), '');
  const run = await boardsharp(['dataset', 'slice', 'a.mp4'], { folder, env: { PATH: join(folder, 'bin') } });
  assert.equal(run.exitCode, 1);
  assert.match(run.stderr, /not installed.*apt install ffmpeg/);
  for (const args of [[], ['slice'], ['cut', 'a.mp4'], ['slice', 'a.mp4', '--every', '0']]) {
    const wrong = await boardsharp(['dataset', ...args], { folder });
    assert.equal(wrong.exitCode, 2, args.join(' '));
  }
  const missing = await boardsharp(['dataset', 'slice', 'none.mp4'], { folder });
  assert.match(missing.stderr, /does not exist.*none\.mp4/);
});

/** Films two frames a second, as a lossy camera does. */
async function shoot(film: readonly Second[], path: string): Promise<void> {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${WIDTH}x${HEIGHT}`, '-r', '2', '-i', '-'];
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p', path];
  const child = spawn('ffmpeg', ['-loglevel', 'error', ...input, ...codec], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const closed = once(child, 'close');
  for (const second of film) {
    const { data } = still(second);
    for (let frame = 0; frame < 2; frame++) if (!child.stdin.write(data)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const [code] = await closed;
  assert.equal(code, 0);
}

const boards = new Map<readonly Mark[], Raster>();

function still({ marks, person }: Second): Raster {
  const board =
    boards.get(marks) ?? drawPage(WIDTH, HEIGHT, 1, marks, { dark: true, stroke: 2.2, strength: 1 });
  boards.set(marks, board);
  if (person === undefined) return board;
  const data = board.data.slice();
  for (let y = HEIGHT - PERSON.height; y < HEIGHT; y++)
    data.fill(
      PERSON.grey,
      (y * WIDTH + person) * 3,
      (y * WIDTH + Math.min(WIDTH, person + PERSON.width)) * 3,
    );
  return { ...board, data };
}

function difference(one: Raster, two: Raster): number {
  assert.deepEqual([one.width, one.height], [two.width, two.height]);
  return one.data.reduce((sum, value, i) => sum + Math.abs(value - (two.data[i] ?? 0)), 0) / one.data.length;
}

test('a sampled frame is the one that is fetched for its time', { skip }, async (t) => {
  const path = join(temporaryFolder(t), 'brighter.mp4');
  // Ten frames a second, each a little brighter than the one before.
  const source = "nullsrc=s=640x360:r=10:d=14,geq=lum='32+N':cb=128:cr=128";
  spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, '-qp', '1', path]);
  const { signal } = new AbortController();
  const video = await openVideo(path, signal);
  const mean = (values: Uint8Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const stepSeconds = 4;
  let number = 0;
  for await (const frame of sampleFrames(video, stepSeconds, signal)) {
    const seconds = number++ * stepSeconds;
    if (seconds > 13) break;
    const { data } = await decode(await frameAt(video, seconds, signal), 'png', { maxPixels: 1e6 });
    // A step is forty shades here, half a step twenty.
    assert.ok(Math.abs(mean(frame) - mean(data)) < 4, `${seconds} s: ${mean(frame)} and ${mean(data)}`);
  }
  assert.ok(number >= 4, `${number} frames`);
});
