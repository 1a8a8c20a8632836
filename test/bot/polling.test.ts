/** Updates are confirmed when they are handled, and never before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GrammyError } from 'grammy';
import type { Update } from 'grammy/types';
import { createPacing } from '../../src/bot/pacing.ts';
import { startPolling } from '../../src/bot/polling.ts';
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
});

test('the pace keeps to the limits, and lets bursts through', () => {
  let now = 0;
  const pacing = createPacing(() => now);
  assert.ok(pacing.now(1, 10), 'an album at once');
  assert.ok(!pacing.now(1, 10), 'not two of them');
  assert.ok(pacing.now(2, 10), 'others do not wait for it');
  assert.ok(!pacing.now(3, 10), 'but for all together');
  now = 2000;
  assert.ok(pacing.now(3, 10));
  assert.ok(pacing.now(-5, 10));
  now = 4000;
  assert.ok(pacing.now(-5, 9));
  now = 20_000;
  assert.ok(!pacing.now(-5, 1), 'a group: twenty a minute');
  now = 63_500;
  assert.ok(pacing.now(-5, 1));
  pacing.rest(9, 5);
  assert.ok(!pacing.now(9, 1));
  now += 5001;
  assert.ok(pacing.now(9, 1));
});
