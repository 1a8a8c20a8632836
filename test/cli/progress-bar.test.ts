/** The progress bar and what is printed beside it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { runUpscale } from '../../src/cli/upscale-command.ts';
import { readConfig } from '../../src/config.ts';
import { encode } from '../../src/engine/image-codec.ts';
import type { Log } from '../../src/log.ts';
import { openEngine } from '../../src/open-engine.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { SILENT } from '../helpers/service.ts';

test('a line of the log does not land inside the bar', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['a.jpg', 'b.jpg'])
    writeFileSync(join(folder, name), await encode(drawBoard(24, 18), 'jpeg'));
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  const log = Object.assign(Object.create(SILENT), {
    info: (line: string) => terminal.write(`LOG ${line}\n`),
  }) as Log;
  const exitCode = await runUpscale([folder], {
    loadConfig: () => readConfig({ DATA_DIR: folder, EXECUTION_PROVIDER: 'cpu' }),
    openEngine: (config) => openEngine(config, log),
    openService: () => Promise.reject(new Error('not used')),
    openStorage: () => Promise.reject(new Error('not used')),
    migrate: () => Promise.reject(new Error('not used')),
    openStores: () => Promise.reject(new Error('not used')),
    stdout: new PassThrough(),
    stderr: terminal,
    signal: new AbortController().signal,
  });
  assert.equal(exitCode, 0);
  const printed = String(terminal.read());
  assert.match(printed, /░|█/);
  const before = printed.slice(0, printed.indexOf('LOG '));
  assert.doesNotMatch(before, /░|█/);
});
