import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import { photo, untilEnd } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { boardsharp } from '../helpers/program.ts';
import { startServerProcess } from '../helpers/server-process.ts';

test('one role alone refuses the embedded database at once, and says why', async (t) => {
  const folder = temporaryFolder(t);
  for (const role of ['api', 'worker']) {
    const { exitCode, stdout, stderr } = await boardsharp([role], { folder });
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, /^boardsharp: Settings are wrong: (api|worker) alone needs DATABASE_URL: .*start/);
  }
});

test('an address others could reach needs keys', async (t) => {
  const env = { HOST: '0.0.0.0', PORT: '0', API_KEYS: 'too-short' };
  const folder = temporaryFolder(t);
  const short = await boardsharp(['start'], { folder, env });
  assert.equal(short.exitCode, 2);
  assert.match(short.stderr, /API_KEYS must be at least 16 characters each/);
  assert.doesNotMatch(short.stderr, /too-short/);
  const none = await boardsharp(['start'], { folder, env: { HOST: '0.0.0.0', PORT: '0' } });
  assert.equal(none.exitCode, 2);
  assert.match(none.stderr, /HOST 0\.0\.0\.0 is not loopback/);
});

test('start works, goes on after kill -9 where it was, and stops when told to', {
  timeout: 110_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const env = { DATA_DIR: join(folder, 'data') };
  const first = await startServerProcess('start', env);
  t.after(() => first.kill());
  const client = createClient({ url: first.url });
  const sent = await client.createUpscale(await photo(300, 200), { scale: 2, idempotencyKey: 'a' });

  const second = await boardsharp(['start'], { folder, env: { ...env, PORT: '0' } });
  assert.equal(second.exitCode, 1);
  assert.match(second.stderr, /The embedded database is in use by another process/);

  await first.kill();
  const again = await startServerProcess('start', env);
  t.after(() => again.kill());
  const after = createClient({ url: again.url });
  assert.equal((await untilEnd(after, sent.id)).status, 'done');
  const same = await after.createUpscale(await photo(300, 200), { scale: 2, idempotencyKey: 'a' });
  assert.equal(same.id, sent.id);
  // What does not stop within ten seconds is ended by a clock of its own, with 1.
  assert.equal(await again.stop(), 0);
});
