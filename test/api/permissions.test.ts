/** What is an administrator's or a service's alone: every such route, tried by a user; and every route, tried without a key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_ONLY, openTestService } from '../helpers/api.ts';

const KEY = 'the-key-of-this-test';
/** Asked for by a code, or by nobody in particular. */
const OPEN = /^\/(health|v1\/(gallery|reading))\//;
const ID = '00000000-0000-4000-8000-000000000000';
const CHOICE = { en: 'Yes', ru: 'Да' };

/** Bodies that are as they must be: what is refused is refused for who asks. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /v1/admin/bans': { telegramId: 3 },
  'POST /v1/admin/broadcasts': { en: 'Well?', ru: 'Ну?', options: [CHOICE, CHOICE] },
  'POST /v1/broadcasts/lease': { max: 1, leaseSeconds: 10 },
  'POST /v1/broadcasts/{id}/recipients': { telegramId: 1, outcome: 'sent' },
  'POST /v1/room-sends/lease': { max: 1, leaseSeconds: 10 },
  'POST /v1/room-sends/{id}/ack': { lease: ID, outcome: 'sent' },
  'POST /v1/room-chores/lease': { max: 1, leaseSeconds: 10 },
  'POST /v1/room-chores/done': { reportId: ID },
  'PUT /v1/bot': { username: 'evil' },
};
const SERVICE =
  /^(POST \/v1\/(room-sends|room-chores|broadcasts)\/|PUT \/v1\/bot$|GET \/v1\/room-pictures\/)/;

test('every route of administrators and services refuses users, every guarded route refuses who has no key', async (t) => {
  const { url } = await openTestService(t, { API_KEYS: KEY, ADMIN_IDS: '9', RATE_LIMIT: '0' }, API_ONLY);
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
  const ask = async (method: string, path: string, headers: Record<string, string>) => {
    const body = BODIES[`${method} ${path}`];
    const real = path.replace(/\{\w+\}/g, path.includes('/bans/') ? '3' : ID);
    const response = await fetch(`${url}${real}`, {
      ...{
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return response.status;
  };
  let [guarded, reserved] = [0, 0];
  for (const { method, path } of routes.filter((route) => !OPEN.test(route.path))) {
    guarded++;
    assert.equal(await ask(method, path, {}), 401, `${method} ${path} without a key`);
    const name = `${method} ${path}`;
    if (!path.startsWith('/v1/admin/') && !SERVICE.test(name)) continue;
    reserved++;
    const asUser = { Authorization: `Bearer ${KEY}`, 'Boardsharp-User': 'telegram:3' };
    assert.equal(await ask(method, path, asUser), 403, `${name} by a user`);
    // An administrator is no service either.
    const asAdmin = { ...asUser, 'Boardsharp-User': 'telegram:9' };
    if (SERVICE.test(name))
      assert.equal(await ask(method, path, asAdmin), 403, `${name} by an administrator`);
    else assert.notEqual(await ask(method, path, asAdmin), 403, `${name} by an administrator`);
  }
  t.diagnostic(`${guarded} guarded routes, ${reserved} of them administrators’ or services’`);
  assert.ok(guarded > 40 && reserved > 15);
});
