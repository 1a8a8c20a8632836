/** ONNX Runtime reports nothing about anybody: its own switch is set before it is loaded, in every way the program is started. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { photo } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);
/** Only what a new user has: in CI the runtime would be silent by itself. */
const environment = (home: string) => ({ PATH: process.env.PATH, HOME: home, EXECUTION_PROVIDER: 'cpu' });

test('making a photo readable leaves no device id and no reports to be sent', async (t) => {
  const home = temporaryFolder(t);
  writeFileSync(join(home, 'board.jpg'), await photo(96, 64));
  await run(process.execPath, [join(ROOT, 'src/main.ts'), 'upscale', 'board.jpg'], {
    cwd: home,
    env: environment(home),
  });
  assert.deepEqual(readdirSync(home).sort(), ['board-boardsharp.jpg', 'board.jpg']);
});

test('left to itself the runtime would', {
  skip: process.platform === 'linux' ? false : 'its files are looked for as Linux has them',
}, async (t) => {
  const home = temporaryFolder(t);
  const script = `import * as ort from 'onnxruntime-node'; await (await ort.InferenceSession.create('models/boardsharp-x4.onnx')).release();`;
  await run(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, env: environment(home) });
  // Should this fail one day, the runtime has stopped reporting, and the switch may go.
  assert.deepEqual(readdirSync(home), ['.cache']);
});
