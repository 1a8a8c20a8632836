/** The documents say what the code does, wherever the two can be compared. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { STEPS } from '../src/engine/upscale.ts';
import { ERROR_CATALOGUE } from '../src/errors.ts';
import { SETTINGS } from '../src/settings.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The first cell of each row of the tables in a document, where it is code. */
function tableKeys(document: string): string[] {
  return [...read(document).matchAll(/^\| `([^`]+)`/gm)].map(([, key = '']) => key).sort();
}

test('.env.example lists every setting with its default, and docs/configuration.md explains each', () => {
  const defaults = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default]),
  );
  assert.deepEqual(parseEnv(read('.env.example')), defaults);
  assert.deepEqual(tableKeys('docs/configuration.md'), Object.keys(SETTINGS).sort());
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const row = read('docs/configuration.md')
      .split('\n')
      .find((line) => line.startsWith(`| \`${name}\``));
    assert.ok(row?.includes(setting.default), `${name} has the default "${setting.default}"`);
  }
});

test('docs/errors.md lists every error code with its status, whether to try again, and what to do', () => {
  const rows = read('docs/errors.md').split('\n');
  assert.deepEqual(tableKeys('docs/errors.md'), Object.keys(ERROR_CATALOGUE).sort());
  for (const [code, { status, title, action, retryable }] of Object.entries(ERROR_CATALOGUE)) {
    const row = rows.find((line) => line.startsWith(`| \`${code}\``)) ?? '';
    for (const text of [String(status), title, action]) assert.ok(row.includes(text), `${code}: ${text}`);
    assert.equal(row.split(' | ')[2], retryable ? 'yes' : 'no', `${code}: again`);
  }
});

test('docs/algorithm.md goes through the steps of the pipeline in their order', () => {
  const headings = [...read('docs/algorithm.md').matchAll(/^### \d+\. (.+)$/gm)].map(([, name = '']) =>
    name.toLowerCase(),
  );
  assert.deepEqual(headings, [...STEPS]);
});

test('both READMEs are short, show the two commands by line 30 and a picture', () => {
  for (const name of ['README.md', 'README.ru.md']) {
    const lines = read(name).split('\n');
    assert.ok(lines.length <= 151, `${name} has ${lines.length} lines`);
    const start = lines.slice(0, 30).join('\n');
    assert.match(start, /npm ci && npm start/);
    assert.match(start, /npm ci && npm test/);
    assert.match(start, /!\[[^\]]+\]\(docs\/[^)]+\.(png|jpg)\)/);
  }
});

test('every link between documents leads somewhere', () => {
  for (const document of globSync(['*.md', 'docs/*.md', 'training/*.md'], { cwd: ROOT })) {
    for (const [, target = ''] of read(document).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue;
      assert.ok(existsSync(join(ROOT, dirname(document), target)), `${document} → ${target}`);
    }
  }
});

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const document of globSync(['*.md', 'docs/*.md'], { cwd: ROOT })) {
    for (const [, name = ''] of read(document).matchAll(/npm run ([a-z:-]+)/g)) {
      assert.ok(Object.hasOwn(scripts, name), `${document}: npm run ${name}`);
    }
  }
});

test('the changelog has a place for what is not released yet', () => {
  assert.match(read('CHANGELOG.md'), /^## Unreleased$/m);
});
