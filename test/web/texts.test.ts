/** The page's sentences: both languages say all of them, with the same values, and the markup's English is the dictionary's. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CATALOGUE } from '../../src/errors.ts';

const WEB = join(import.meta.dirname, '../../web');
type Texts = Record<string, string | Record<string, string>>;
const { ENGLISH } = (await import(join(WEB, 'texts-en.js'))) as { ENGLISH: Texts };
const { RUSSIAN } = (await import(join(WEB, 'texts-ru.js'))) as { RUSSIAN: Texts };
const MARKUP = ['index.html', 'room.html', 'reading.html']
  .map((name) => readFileSync(join(WEB, name), 'utf8'))
  .join('\n');
const SCRIPTS = globSync('*.js', { cwd: WEB })
  .filter((name) => !name.startsWith('texts-'))
  .map((name) => readFileSync(join(WEB, name), 'utf8'))
  .join('\n');

function placeholders(entry: string | Record<string, string> | undefined): string[] {
  const forms = typeof entry === 'string' ? [entry] : Object.values(entry ?? {});
  return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
}

test('both languages have the same sentences with the same values', () => {
  assert.deepEqual(Object.keys(RUSSIAN).sort(), Object.keys(ENGLISH).sort());
  for (const key of Object.keys(ENGLISH)) {
    assert.deepEqual(placeholders(RUSSIAN[key]), placeholders(ENGLISH[key]), key);
  }
});

test('every plural has all the forms of its language', () => {
  for (const [language, texts] of [
    ['en', ENGLISH],
    ['ru', RUSSIAN],
  ] as const) {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, entry] of Object.entries(texts)) {
      if (typeof entry !== 'string') assert.deepEqual(Object.keys(entry).sort(), [...forms].sort(), key);
    }
  }
});

test('every sentence is used, and every one that is used exists', () => {
  const used = [
    ...MARKUP.matchAll(/data-(?:text|label)="([^"]+)"/g),
    ...SCRIPTS.matchAll(/\bt\('([^']+)'/g),
    ...SCRIPTS.matchAll(/'((?:drop|privacy|room|reading)\.[\w.]+)'/g),
  ].map(([, key]) => key ?? '');
  assert.deepEqual(
    used.filter((key) => ENGLISH[key] === undefined),
    [],
  );
  // Those that are put together from a state, an action or a code.
  const built = /^(state|problem|compare|photo)\./;
  const idle = Object.keys(ENGLISH).filter((key) => !used.includes(key) && !built.test(key));
  assert.deepEqual(idle, []);
});

test('the English of the markup is that of the dictionary', () => {
  for (const [, key = '', text = ''] of MARKUP.matchAll(/<[^<>]*data-text="([^"]+)"[^<>]*>([^<]*)</g)) {
    assert.equal(text, ENGLISH[key], key);
  }
});

test('codes the page explains are codes of the catalogue, or its own', () => {
  const own = ['NETWORK', 'OFFLINE', 'NOT_ERASED', 'LOST', 'FAULT'];
  const explained = new Set(
    Object.keys(ENGLISH).flatMap((key) => /^problem\.([A-Z_]+)\./.exec(key)?.[1] ?? []),
  );
  const unknown = [...explained].filter(
    (code) => !own.includes(code) && !Object.hasOwn(ERROR_CATALOGUE, code),
  );
  assert.deepEqual(unknown, []);
  for (const code of explained) {
    for (const part of ['what', 'why', 'next'])
      assert.ok(ENGLISH[`problem.${code}.${part}`], `${code} ${part}`);
  }
});

test('the markup has no script, style or handler of its own, and asks no other server', () => {
  assert.doesNotMatch(MARKUP, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
  assert.doesNotMatch(MARKUP.replace(/xmlns="[^"]+"/g, ''), /(src|href)="(https?:)?\/\//);
});
