/** Readers that leave and disks that are full: one line at most, no stack trace, nothing half-written. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encode } from '../../src/engine/image-codec.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { inShell } from '../helpers/program.ts';

const PHOTO = await encode(drawBoard(24, 18), 'jpeg');
const STACK_TRACE = /\n\s+at |node:|Unhandled/;

function withPhotos(t: TestContext, photos: Record<string, Uint8Array>): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'in'));
  for (const [name, bytes] of Object.entries(photos)) writeFileSync(join(folder, 'in', name), bytes);
  return folder;
}

test('a reader that leaves ends the run cleanly', { skip: process.platform === 'win32' }, async (t) => {
  const names = [...'abcdefghijklmnop'].map((letter) => `${letter}.jpg`);
  const folder = withPhotos(t, Object.fromEntries(names.map((name) => [name, PHOTO])));
  const line = 'boardsharp upscale --json in -o out | head -n 1; echo "$PIPESTATUS"';
  const { stdout, stderr } = await inShell(line, { folder });
  assert.match(stdout, /^\{"status":"done".*\}\n1\n$/);
  assert.doesNotMatch(stderr, STACK_TRACE);
  const results = readdirSync(join(folder, 'out'));
  assert.ok(!results.some((name) => name.endsWith('.part')) && results.length < names.length, results.join());
});

test('help that nobody reads is no error', { skip: process.platform === 'win32' }, async (t) => {
  const line = 'boardsharp --help | head -n 0; echo "$PIPESTATUS"';
  const { stdout, stderr } = await inShell(line, { folder: temporaryFolder(t) });
  assert.deepEqual([stdout, stderr], ['0\n', '']);
});

test('a full disk under the output costs no photo: one line, exit 1', {
  skip: !existsSync('/dev/full'),
}, async (t) => {
  const folder = withPhotos(t, { 'a.jpg': PHOTO, 'b.jpg': PHOTO });
  const { exitCode, stderr } = await inShell('LOG_LEVEL=silent boardsharp upscale in -o out > /dev/full', {
    folder,
  });
  assert.equal(exitCode, 1);
  assert.match(stderr, /^boardsharp: the output cannot be written \(ENOSPC\)\n$/);
  assert.deepEqual(readdirSync(join(folder, 'out')).sort(), ['a.jpg', 'b.jpg']);
});

test('messages that cannot be written end nothing', { skip: !existsSync('/dev/full') }, async (t) => {
  const folder = withPhotos(t, { 'a.jpg': PHOTO, 'b.jpg': Buffer.from('no photo'), 'c.jpg': PHOTO });
  const { exitCode } = await inShell('LOG_LEVEL=silent boardsharp upscale in -o out 2> /dev/full', {
    folder,
  });
  assert.equal(exitCode, 1);
  assert.deepEqual(readdirSync(join(folder, 'out')).sort(), ['a.jpg', 'c.jpg']);
});
