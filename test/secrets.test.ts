/** The scanner for secrets finds what it is there for. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from './helpers/engine.ts';
import { FAKE_TOKEN } from './telegram/fake-telegram.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SECRETLINT = join(
  dirname(createRequire(import.meta.url).resolve('secretlint/package.json')),
  'bin/secretlint.js',
);

function scan(file: string): { status: number | null; stdout: string } {
  const rules = join(ROOT, '.secretlintrc.json');
  return spawnSync(process.execPath, [SECRETLINT, '--secretlintrc', rules, file], {
    encoding: 'utf8',
    cwd: ROOT,
  });
}

test('a token of a bot is found wherever it stands, and other words are not', (t) => {
  const folder = temporaryFolder(t);
  for (const [name, text] of [
    ['setting.txt', `BOT_TOKEN=${FAKE_TOKEN}`],
    ['code.ts', `new Bot("${FAKE_TOKEN}")`],
    ['address.md', `https://api.telegram.org/bot${FAKE_TOKEN}/getMe`],
  ] as const) {
    const file = join(folder, name);
    writeFileSync(file, text);
    const { status, stdout } = scan(file);
    assert.equal(status, 1, `${name}: ${stdout}`);
    assert.ok(!stdout.includes(FAKE_TOKEN), 'and is not repeated');
  }
  const harmless = join(folder, 'harmless.txt');
  writeFileSync(harmless, 'BOT_TOKEN=\n12:34\nsha512-0123456789:short');
  assert.equal(scan(harmless).status, 0);
});
