import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { loadConfig, readConfig } from '../src/config.ts';
import { temporaryFolder } from './helpers/engine.ts';

test('without any setting the defaults hold, paths are absolute', () => {
  const config = readConfig({}, '/work');
  assert.equal(config.maxInputSide, 2560);
  assert.equal(config.maxInputPixels, 50_000_000);
  assert.equal(config.maxInputBytes, 20_971_520);
  assert.equal(config.executionProvider, 'auto');
  assert.equal(config.dataDir, '/work/data');
  assert.equal(config.modelsDir, '/work/data/models');
  assert.equal(config.model, undefined);
  assert.ok(Object.isFrozen(config));
});

test('all mistakes are reported together', () => {
  const env = {
    MAX_INPUT_SIDE: 'big',
    EXECUTION_PROVIDER: 'tpu',
    HF_ENDPOINT: 'ftp://hub',
    LOG_LEVEL: 'loud',
  };
  assert.throws(
    () => readConfig(env),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'SETTINGS');
      for (const name of Object.keys(env)) assert.match(error.message, new RegExp(name));
      return true;
    },
  );
});

test('.env is read from the folder, the environment wins', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, '.env'), 'MODEL=from-file\nMAX_INPUT_SIDE=1000\n');
  assert.equal(loadConfig(folder).model, 'from-file');
  process.env.MAX_INPUT_SIDE = '900';
  t.after(() => delete process.env.MAX_INPUT_SIDE);
  assert.equal(loadConfig(folder).maxInputSide, 900);
});

test('a secret shows itself to nobody who only looks', () => {
  const { hfToken } = readConfig({ HF_TOKEN: 'hf_abcdef' });
  assert.equal(hfToken?.reveal(), 'hf_abcdef');
  for (const shown of [
    String(hfToken),
    `${hfToken}`,
    JSON.stringify({ hfToken }),
    inspect({ a: [hfToken] }, { depth: 9 }),
  ]) {
    assert.doesNotMatch(shown, /abcdef/);
  }
});

test('an address with a user or a password is refused, and neither is repeated', () => {
  for (const address of [
    'https://me:hunter2@hub.example',
    'https://hunter2@hub.example/',
    'https://:hunter2@hub.example',
    'ftp://me:hunter2@hub.example',
    'me:hunter2@hub.example',
    'https//me:hunter2@hub.example',
  ]) {
    for (const name of ['HF_ENDPOINT', 'S3_ENDPOINT']) {
      const s3 = { S3_BUCKET: 'photos', S3_ACCESS_KEY_ID: 'key', S3_SECRET_ACCESS_KEY: 'secret' };
      const env = { ...(name === 'S3_ENDPOINT' ? s3 : {}), [name]: address };
      assert.throws(
        () => readConfig(env),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'SETTINGS');
          assert.match(error.message, new RegExp(`${name} must be an (http or https )?address`));
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        },
        address,
      );
    }
  }
  assert.equal(readConfig({ HF_ENDPOINT: 'https://hub.example/@me/' }).hfEndpoint, 'https://hub.example/@me');
});

test('settings of the bot: wrong ones are named, the token and the secrets never', () => {
  const token = ['1234567', 'x'.repeat(10)].join(':');
  const env = {
    BOT_TOKEN: token,
    TELEGRAM_WEBHOOK_URL: 'http://bot.example/hook',
    TELEGRAM_WEBHOOK_SECRET: 'too short a secret',
    TELEGRAM_PROXY: 'ftp://user:password@proxy',
    ADMIN_IDS: '12,x',
  };
  assert.throws(
    () => readConfig(env),
    ({ message }: Error) => {
      for (const name of [...Object.keys(env), 'BOT_PORT']) assert.match(message, new RegExp(name));
      for (const secret of [token, 'too short a secret', 'password'])
        assert.ok(!message.includes(secret), secret);
      return true;
    },
  );
});

test('settings of the bot are read', () => {
  const config = readConfig({
    BOT_TOKEN: ['1234567', 'x'.repeat(35)].join(':'),
    TELEGRAM_WEBHOOK_URL: 'https://bot.example/hook/',
    TELEGRAM_WEBHOOK_SECRET: 's'.repeat(32),
    BOT_PORT: '8081',
    TELEGRAM_PROXY: 'socks5://127.0.0.1:1080',
    ADMIN_IDS: '12, 345',
  });
  assert.deepEqual(config.adminIds, [12, 345]);
  assert.deepEqual([config.webhook?.url, config.botPort], ['https://bot.example/hook', 8081]);
  assert.equal(config.telegramApiRoot, 'https://api.telegram.org');
  assert.ok(!inspect(config, { depth: 9 }).includes('xxxxx'));
});
