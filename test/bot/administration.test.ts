/** How far a broadcast is, told as long as there is something to tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followBroadcast } from '../../src/bot/administration.ts';
import type { Broadcast } from '../../src/client/telegram-client.ts';
import { AppError } from '../../src/errors.ts';

const running = (sent: number): Broadcast => ({
  ...{ id: 'b', state: 'running', text: { en: 'all', ru: 'все' }, options: null },
  ...{ waiting: 9 - sent, sent, gone: 0, answered: 0 },
});

/** The numbers sent that were told, of answers given one after the other; asking once more than there are is an error. */
async function follow(...answers: (Broadcast | AppError)[]): Promise<string[]> {
  const told: string[] = [];
  const left = [...answers];
  const stopping = new AbortController();
  await followBroadcast({
    async read() {
      const answer = left.shift();
      if (answer === undefined) stopping.abort();
      if (answer === undefined || answer instanceof AppError) throw answer;
      return answer;
    },
    tell: async ({ state, sent }) => told.push(`${state} ${sent}`),
    stopping: stopping.signal,
    everyMs: 0,
  });
  assert.ok(!stopping.signal.aborted, 'it was asked for once more');
  assert.deepEqual(left, [], 'it was given up too early');
  return told;
}

test('progress is told when it changed, until the end', async () => {
  const done: Broadcast = { ...running(9), state: 'done' };
  assert.deepEqual(await follow(running(1), running(1), running(4), done), [
    'running 1',
    'running 4',
    'done 9',
  ]);
});

test('a busy or broken API is asked again; a broadcast that is gone or stopped is not', async () => {
  const busy = [new AppError('NOT_READY', 'it starts'), new AppError('RATE_LIMITED', 'soon')];
  const gone = new AppError('NOT_FOUND', 'b');
  assert.deepEqual(await follow(...busy, running(2), gone), ['running 2']);
  assert.deepEqual(await follow(running(1), { ...running(2), state: 'stopped' }), ['running 1']);
});
