/** The log where nobody can read it: work goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { LOG_FORMATS } from '../src/log.ts';

const LOG = new URL('../src/log.ts', import.meta.url).href;

for (const format of LOG_FORMATS) {
  test(`a full disk under the ${format} log does not end the process`, async (t) => {
    if (!existsSync('/dev/full')) return t.skip('needs /dev/full, which Linux has');
    const program = `
      const { openLog } = await import(${JSON.stringify(LOG)});
      const log = openLog({ level: 'info', format: '${format}' });
      for (let line = 0; line < 3; line++) log.info('nobody reads this');
      await new Promise((done) => setImmediate(done));
      console.log('still here');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', openSync('/dev/full', 'w')],
    });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const [code] = await once(child, 'close');
    assert.deepEqual([code, output], [0, 'still here\n']);
  });
}
