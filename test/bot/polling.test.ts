/** Updates are confirmed when they are handled, and never before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GrammyError } from 'grammy';
import type { Update } from 'grammy/types';
import { createPacing } from '../../src/bot/pacing.ts';
import { startPolling } from '../../src/bot/polling.ts';
import { createTurns } from '../../src/bot/turns.ts';
import { SILENT } from '../helpers/service.ts';
import { eventually } from '../telegram/meeting.ts';

/** Serves updates as Telegram does: everything from the offset on, again and again. */
function serve(ids: readonly number[]) {
  const offsets: number[] = [];
  return {
    offsets,
    async getUpdates(
      { offset, timeout }: { offset: number; timeout: number },
      signal: AbortSignal,
    ): Promise<Update[]> {
      offsets.push(offset);
      const open = ids.filter((id) => id >= offset);
      if (open.length > 0) return open.map((update_id) => ({ update_id }) as Update);
      if (timeout === 0) return [];
      await new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error('stopped'))));
      return [];
    },
  };
}

test('the offset stays at the oldest update in hand, the others are handled meanwhile, each once', async () => {
  const { offsets, getUpdates } = serve([5, 6, 7]);
  const handled: number[] = [];
  const slow = Promise.withResolvers<void>();
  const polling = startPolling({
    getUpdates,
    log: SILENT,
    async handle({ update_id: id }) {
      if (id === 5) await slow.promise;
      handled.push(id);
      return true;
    },
  });
  await eventually(() => handled.length === 2);
  await eventually(() => offsets.length >= 2, 'it did not ask again');
  assert.deepEqual(handled, [6, 7]);
  assert.ok(offsets.slice(1).every((offset) => offset === 5));
  slow.resolve();
  await eventually(() => offsets.at(-1) === 8);
  await polling.stop();
  assert.deepEqual(handled, [6, 7, 5]);
  assert.equal(offsets.at(-1), 8);
});

test('an update that was handled while an older answer with it was on its way is not handled again', async () => {
  const handled: number[] = [];
  const gates = new Map([5, 6].map((id) => [id, Promise.withResolvers<void>()]));
  const second = Promise.withResolvers<void>();
  let asked = 0;
  const polling = startPolling({
    log: SILENT,
    async getUpdates({ offset, timeout }, signal) {
      asked++;
      const known = [5, 6].filter((id) => id >= offset).map((update_id) => ({ update_id }) as Update);
      if (asked === 2) await second.promise;
      if (asked <= 2) return known;
      if (timeout === 0) return [];
      await new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error('stopped'))));
      return [];
    },
    async handle({ update_id: id }) {
      handled.push(id);
      await gates.get(id)?.promise;
      return true;
    },
  });
  await eventually(() => asked === 2, 'it did not ask again');
  for (const gate of gates.values()) gate.resolve();
  await new Promise((done) => setImmediate(done));
  second.resolve();
  await eventually(() => asked === 3);
  await polling.stop();
  assert.deepEqual(handled, [5, 6]);
});

test('what could not be stored is not confirmed when it stops', async () => {
  const { offsets, getUpdates } = serve([5, 6]);
  const polling = startPolling({ getUpdates, log: SILENT, handle: async ({ update_id: id }) => id === 5 });
  await eventually(() => offsets.includes(6));
  await polling.stop();
  assert.equal(Math.max(...offsets), 6);
});

test('a wrong token ends it at once, another program after a few answers', async () => {
  const refuse = (code: number) => async (): Promise<Update[]> => {
    throw new GrammyError('x', { ok: false, error_code: code, description: 'x' }, 'getUpdates', {});
  };
  const handle = async () => true;
  const token = startPolling({ getUpdates: refuse(401), handle, log: SILENT });
  await assert.rejects(token.ended, { code: 'TELEGRAM_TOKEN' });
  let asked = 0;
  const other = startPolling({
    getUpdates() {
      asked++;
      return refuse(409)();
    },
    handle,
    log: SILENT,
    backoffMs: 1,
  });
  await assert.rejects(other.ended, { code: 'TELEGRAM_CONFLICT', message: /stop it.*start the bot again/i });
  assert.ok(asked > 1 && asked < 10, `it asked ${asked} times`);
});

test('turns are taken in order, and a place is free again after a failure', async () => {
  const inTurn = createTurns(2);
  const started: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const works = gates.map(({ promise }, index) =>
    inTurn(async () => {
      started.push(index);
      await promise;
    }),
  );
  assert.deepEqual(started, [0, 1]);
  gates[1]?.reject(new Error('broken'));
  await assert.rejects(works[1] as Promise<void>, /broken/);
  assert.deepEqual(started, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all([works[0], works[2], works[3]]);
  assert.deepEqual(started, [0, 1, 2, 3]);
});

test('the pace keeps to the limits, and lets bursts through', () => {
  let now = 0;
  const pacing = createPacing(() => now);
  const send = (chatId: number, messages: number): boolean => {
    const landed = pacing.now(chatId, messages);
    landed?.();
    return landed !== undefined;
  };
  assert.ok(send(1, 10), 'an album at once');
  assert.ok(!send(1, 10), 'not two of them');
  assert.ok(send(2, 10), 'others do not wait for it');
  assert.ok(!send(3, 10), 'but for all together');
  now = 2000;
  assert.ok(send(3, 10));
  assert.ok(send(-5, 10));
  now = 4000;
  assert.ok(send(-5, 9));
  now = 20_000;
  assert.ok(!send(-5, 1), 'a group: twenty a minute');
  now = 63_500;
  assert.ok(send(-5, 1));
  pacing.rest(9, 5);
  assert.ok(!send(9, 1));
  now += 5001;
  assert.ok(send(9, 1));
  now += 60_000;
  const landed = pacing.now(1, 10);
  assert.ok(landed && send(2, 10));
  now += 30_000;
  assert.ok(send(2, 10) && !send(3, 10), 'what is on its way may reach Telegram any moment');
  landed();
  now += 500;
  assert.ok(!send(3, 10), 'or has reached it just now');
  now += 1000;
  assert.ok(send(3, 10));
  now += 60_000;
  pacing.now(4, 10)?.(true);
  assert.ok(send(4, 10), 'what was refused is no message');
  assert.ok(send(5, 10), 'nor one of all together');
});
