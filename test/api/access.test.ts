import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { ApiProblem, createClient } from '../../src/client/client.ts';
import { Secret } from '../../src/secret.ts';
import { API_ONLY, openTestService, photo } from '../helpers/api.ts';

const KEYS = ['first-key-of-the-test', 'second-key-of-the-test'] as const;

test('keys are asked for, what is one user’s is nobody else’s, and nobody has more than their share', async (t) => {
  const settings = { API_KEYS: KEYS.join(','), QUOTA: '2', RATE_LIMIT: '25' };
  const { url } = await openTestService(t, settings, API_ONLY);
  const [first, second] = KEYS.map((key) => createClient({ url, key: new Secret(key) })) as [Client, Client];
  type Client = ReturnType<typeof createClient>;

  await t.test('without a right key there is nothing but the page, its documents and health', async () => {
    const status = async (path: string, key?: string) => {
      const headers: Record<string, string> = key === undefined ? {} : { Authorization: `Bearer ${key}` };
      const response = await fetch(`${url}${path}`, { headers });
      await response.arrayBuffer();
      return response.status;
    };
    for (const path of ['/v1/models', '/metrics', '/v1/upscales/x', '/v1/upscales/x/events']) {
      assert.equal(await status(path), 401, path);
      assert.equal(await status(path, 'first-key-of-the-tes'), 401, path);
      assert.equal(await status(path, ''), 401, path);
    }
    for (const path of ['/health/live', '/health/ready', '/openapi.json']) {
      assert.equal(await status(path), 200, path);
    }
    assert.equal(await status('/metrics', KEYS[1]), 200);
    const refused = await fetch(`${url}/v1/models`);
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
    assert.doesNotMatch(await refused.text(), /key-of-the-test/);
  });

  await t.test('another key, or another user of the same key, sees nothing of it', async () => {
    const { id } = await first.createUpscale(await photo());
    assert.equal((await first.getUpscale(id)).id, id);
    const user = createClient({ url, key: new Secret(KEYS[0]), user: 'telegram:1' });
    for (const other of [second, user]) {
      await assert.rejects(other.getUpscale(id), { code: 'UPSCALE_NOT_FOUND' });
      await assert.rejects(other.getOriginal(id), { code: 'UPSCALE_NOT_FOUND' });
      await assert.rejects(other.deleteUpscale(id), { code: 'UPSCALE_NOT_FOUND' });
    }
    const nobody = createClient({ url, key: new Secret(KEYS[0]), user: 'anybody' });
    await assert.rejects(nobody.getUpscale(id), { code: 'INVALID_REQUEST' });
  });

  await t.test(
    'over the quota a photo is refused with a time to come back; others are not touched',
    async () => {
      const user = createClient({ url, key: new Secret(KEYS[0]), user: 'telegram:2' });
      const sent = [await user.createUpscale(await photo()), await user.createUpscale(await photo())];
      await assert.rejects(user.createUpscale(await photo()), (error) => {
        assert.ok(error instanceof ApiProblem);
        assert.equal(error.code, 'QUOTA_EXCEEDED');
        assert.ok((error.retryAfterSeconds ?? 0) > 0);
        return true;
      });
      await second.createUpscale(await photo());
      await user.deleteUpscale(sent[0]?.id ?? '');
      await user.createUpscale(await photo());
    },
  );

  await t.test('too many requests of one user are refused with a time to come back', async () => {
    const busy = createClient({ url, key: new Secret(KEYS[1]), user: 'telegram:3' });
    for (let i = 0; i < 25; i++) await busy.listModels();
    await assert.rejects(busy.listModels(), (error) => {
      assert.ok(error instanceof ApiProblem);
      assert.equal(error.code, 'RATE_LIMITED');
      assert.ok((error.retryAfterSeconds ?? 0) > 0 && (error.retryAfterSeconds ?? 0) <= 60);
      return true;
    });
    await second.listModels();
    assert.equal((await fetch(`${url}/health/live`)).status, 200);
  });
});

test('without keys this machine may ask, and no website that is open in its browser', async (t) => {
  const { url } = await openTestService(t, { PUBLIC_URL: 'https://boards.example' }, API_ONLY);
  const { port } = new URL(url);
  const own = `127.0.0.1:${port}`;
  async function ask(method: string, path: string, headers: Record<string, string>) {
    const asking = request(`${url}${path}`, { method, headers }).end();
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    const text = Buffer.concat(await answer.toArray()).toString();
    return { status: answer.statusCode, text };
  }
  for (const host of [own, `localhost:${port}`, `[::1]:${port}`, 'boards.example']) {
    assert.equal((await ask('GET', '/v1/limits', { host })).status, 200, host);
  }
  // A name of the website's own that points to loopback makes both one site to the browser.
  for (const path of ['/v1/limits', '/v1/me/data', '/']) {
    const { status, text } = await ask('GET', path, { host: `evil.example:${port}` });
    assert.equal(status, 403, path);
    assert.match(text, /evil\.example.*PUBLIC_URL.*API_KEYS/);
  }
  for (const [origin, status] of [
    [`http://${own}`, 200],
    ['https://boards.example', 200],
    ['http://evil.example', 403],
    // Another program of this machine that shows pages.
    ['http://127.0.0.1:1', 403],
    ['null', 403],
  ] as const) {
    assert.equal((await ask('POST', '/v1/me/cancel', { host: own, origin })).status, status, origin);
  }

  const withKeys = await openTestService(t, { API_KEYS: KEYS[0] }, API_ONLY);
  const headers = { Host: 'anything.example', Authorization: `Bearer ${KEYS[0]}` };
  const asking = request(`${withKeys.url}/v1/limits`, { headers }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.resume();
  assert.equal(answer.statusCode, 200);
});
