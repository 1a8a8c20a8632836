/** Results are there whole or not at all, whatever stops their writing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeResult } from '../../src/cli/result-file.ts';
import { encode } from '../../src/engine/image-codec.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { inShell } from '../helpers/program.ts';

const BYTES = Buffer.alloc(5_000_000, 'result');
const keep: ReadonlySet<string> = new Set();

test('a result is whole, in folders that are made for it, with nothing beside it', async (t) => {
  const folder = join(temporaryFolder(t), 'a/b');
  await writeResult(join(folder, 'r.jpg'), BYTES, { replace: false, keep });
  assert.deepEqual(readdirSync(folder), ['r.jpg']);
  assert.ok(readFileSync(join(folder, 'r.jpg')).equals(BYTES));
});

test('what was cancelled before or while writing leaves nothing', async (t) => {
  const folder = temporaryFolder(t);
  const before = AbortSignal.abort();
  const during = new AbortController();
  setImmediate(() => during.abort());
  for (const signal of [before, during.signal]) {
    await assert.rejects(writeResult(join(folder, 'r.jpg'), BYTES, { replace: true, keep, signal }), {
      code: 'CANCELLED',
    });
    assert.deepEqual(readdirSync(folder), []);
  }
});

test('a file that appeared meanwhile is kept, unless it is to be replaced', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'r.jpg');
  writeFileSync(path, "somebody else's");
  await assert.rejects(writeResult(path, BYTES, { replace: false, keep }), { code: 'OUTPUT_EXISTS' });
  assert.equal(readFileSync(path, 'utf8'), "somebody else's");
  await writeResult(path, BYTES, { replace: true, keep });
  assert.ok(readFileSync(path).equals(BYTES));
  assert.deepEqual(readdirSync(folder), ['r.jpg']);
});

test('a disk that is full half-way leaves what was there before, and nothing else', {
  skip: process.platform === 'win32',
}, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a.jpg'), await encode(drawBoard(120, 90), 'jpeg'));
  // Files end at four kilobytes here, as if there was no more room.
  const upscale = 'ulimit -f 4; boardsharp upscale a.jpg --format png -o';
  const empty = await inShell(`${upscale} new/`, { folder });
  assert.match(empty.stderr, /^a\.jpg: The result cannot be written: new\/a\.png \(EFBIG\)/m);
  assert.deepEqual(readdirSync(join(folder, 'new')), []);
  writeFileSync(join(folder, 'old.png'), 'the old result');
  const forced = await inShell(`${upscale} old.png --force`, { folder });
  assert.equal(forced.exitCode, 1);
  assert.deepEqual(readdirSync(folder).sort(), ['a.jpg', 'new', 'old.png']);
  assert.equal(readFileSync(join(folder, 'old.png'), 'utf8'), 'the old result');
});
