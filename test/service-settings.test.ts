/** Settings: every kind of value, secrets from files, and all mistakes told together. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { readConfig } from '../src/config.ts';
import { AppError } from '../src/errors.ts';
import { temporaryFolder } from './helpers/engine.ts';

const S3 = {
  S3_ENDPOINT: 'http://127.0.0.1:9000/',
  S3_BUCKET: 'photos',
  S3_ACCESS_KEY_ID: 'key',
  S3_SECRET_ACCESS_KEY: 'hunter2',
};

function problemsOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof AppError && error.code === 'SETTINGS') return error.message;
    throw error;
  }
  return '';
}

test('without any setting everything is embedded', () => {
  const { databaseUrl, s3, jobTimeoutMs, retentionMs, workerConcurrency } = readConfig({});
  assert.deepEqual(
    { databaseUrl, s3, jobTimeoutMs, retentionMs, workerConcurrency },
    {
      databaseUrl: undefined,
      s3: undefined,
      jobTimeoutMs: 120_000,
      retentionMs: 259_200_000,
      workerConcurrency: 2,
    },
  );
});

test('times have a unit', () => {
  for (const [text, ms] of [
    ['90s', 90_000],
    ['1500ms', 1500],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
  ] as const) {
    assert.equal(readConfig({ JOB_TIMEOUT: text }).jobTimeoutMs, ms);
  }
  assert.equal(readConfig({ RETENTION: '30d' }).retentionMs, 30 * 86_400_000);
  for (const text of ['90', '-1s', 's', '1w', '0s', '1e9h']) {
    assert.match(problemsOf({ JOB_TIMEOUT: text }), /JOB_TIMEOUT must be a time like 90s/);
  }
});

test('a secret may come from a file, and is never printed', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'url'), 'postgres://me:hunter2@db/boardsharp\n');
  const config = readConfig({ ...S3, DATABASE_URL_FILE: 'url' }, folder);
  assert.equal(config.databaseUrl?.reveal(), 'postgres://me:hunter2@db/boardsharp');
  assert.equal(config.s3?.secretAccessKey.reveal(), 'hunter2');
  assert.equal(config.s3?.endpoint, 'http://127.0.0.1:9000');
  assert.doesNotMatch(inspect(config, { depth: 9 }) + JSON.stringify(config), /hunter2/);
  assert.match(problemsOf({ DATABASE_URL_FILE: '/nowhere/url' }), /DATABASE_URL_FILE cannot be read/);
  assert.match(problemsOf({ DATABASE_URL: 'postgres://a', DATABASE_URL_FILE: '/etc/hostname' }), /both set/);
});

test('what belongs together is asked for together, and mistakes are told all at once', () => {
  const { S3_BUCKET, ...rest } = S3;
  assert.match(problemsOf(rest), /S3_BUCKET.*belong together/);
  const said = problemsOf({ DATABASE_URL: 'mysql://me:hunter2@db', PORT: 'x', RETENTION: 'soon' });
  for (const name of ['DATABASE_URL', 'PORT', 'RETENTION']) assert.match(said, new RegExp(`\\b${name} must`));
  assert.doesNotMatch(said, /hunter2/);
});
