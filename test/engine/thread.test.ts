import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { SHARE_ENV, type Worker } from 'node:worker_threads';
import { openThread } from '../../src/engine/thread.ts';

/** What `test/fixtures/obedient-thread.ts` does when told to. */
type Order = 'echo' | 'throw' | 'exit' | 'devour' | 'hold' | 'collapse' | 'never';
interface Request {
  readonly order: Order;
  readonly bytes?: Uint8Array;
  /** `hold` sets it to 1 and waits for 2. */
  readonly gate?: Int32Array;
}
interface Answer {
  readonly pid: number;
  readonly bytes: Uint8Array | undefined;
}

function openObedient(t: TestContext, finishes = false) {
  const thread = openThread<Request, Answer>('../../test/fixtures/obedient-thread', {
    finishes,
    resourceLimits: { maxOldGenerationSizeMb: 24 },
  });
  t.after(() => thread.close());
  return thread;
}

test('answers come in the order of the calls, with buffers moved both ways', async (t) => {
  const thread = openObedient(t);
  const bytes = Uint8Array.of(1, 2, 3);
  const [first, second] = await Promise.all([
    thread.call({ order: 'echo', bytes }, { transfer: [bytes.buffer] }),
    thread.call({ order: 'echo' }),
  ]);
  assert.deepEqual(first.bytes, Uint8Array.of(1, 2, 3));
  assert.equal(bytes.length, 0);
  assert.equal(second.pid, first.pid);
});

test('an error of the thread arrives as the same error', async (t) => {
  await assert.rejects(openObedient(t).call({ order: 'throw' }), {
    name: 'AppError',
    code: 'IMAGE_BROKEN',
    detail: 'as told',
  });
});

for (const order of ['exit', 'devour'] as const) {
  test(`a thread that dies (${order}) fails that one call, and the next is served by a new one`, async (t) => {
    const thread = openObedient(t);
    const [dead, alive] = await Promise.allSettled([thread.call({ order }), thread.call({ order: 'echo' })]);
    assert.equal(dead.status, 'rejected');
    assert.equal(dead.reason.code, 'ENGINE_CRASHED');
    assert.equal(alive.status, 'fulfilled');
  });
}

test('a request that cannot be sent fails alone, and does not keep a thread from closing', async (t) => {
  const thread = openObedient(t, true);
  const moved = Uint8Array.of(1, 2, 3);
  structuredClone(moved, { transfer: [moved.buffer] });
  const [unsent, detached, served] = await Promise.allSettled([
    thread.call({ order: 'echo', bytes: (() => {}) as never }),
    thread.call({ order: 'echo', bytes: moved }, { transfer: [moved.buffer] }),
    thread.call({ order: 'echo' }),
  ]);
  for (const failed of [unsent, detached]) {
    assert.equal(failed.status, 'rejected');
    assert.equal(failed.reason.name, 'AppError');
  }
  assert.equal(served.status, 'fulfilled');
  await assert.rejects(thread.call({ order: 'echo', bytes: (() => {}) as never }), { name: 'AppError' });
  await thread.close();
});

test('a thread that dies idle fails nobody: a call between its error and its exit gets a new one', async (t) => {
  const thread = openObedient(t);
  const started: Promise<Worker[]> = once(process, 'worker');
  const asked = thread.call({ order: 'collapse' });
  const [worker] = await started;
  assert.ok(worker);
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const served = new Promise((resolve, reject) => {
    worker.once('error', () => thread.call({ order: 'echo' }).then(resolve, reject));
  });
  await asked;
  await served;
  await ended;
  await thread.call({ order: 'echo' });
});

test('an aborted call ends at once; one that waits is not begun', async (t) => {
  const thread = openObedient(t);
  const abort = new AbortController();
  const running = thread.call({ order: 'never' }, { signal: abort.signal });
  const waiting = thread.call({ order: 'exit' }, { signal: abort.signal });
  abort.abort();
  await assert.rejects(running, { code: 'CANCELLED' });
  await assert.rejects(waiting, { code: 'CANCELLED' });
  await assert.rejects(thread.call({ order: 'echo' }, { signal: AbortSignal.abort() }), {
    code: 'CANCELLED',
  });
});

test('closing a thread that finishes waits for the call in flight, even if nobody else does', async (t) => {
  const thread = openObedient(t, true);
  const abort = new AbortController();
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const call = thread.call({ order: 'hold', gate }, { signal: abort.signal });
  const cancelled = assert.rejects(call, { code: 'CANCELLED' });
  abort.abort();
  await cancelled;
  let closed = false;
  const closing = thread.close().then(() => {
    closed = true;
  });
  await Atomics.waitAsync(gate, 0, 0).value;
  assert.equal(closed, false);
  Atomics.store(gate, 0, 2);
  Atomics.notify(gate, 0);
  await closing;
});

test('closing a thread that finishes waits until it has loaded its libraries', async (t) => {
  const loaded = 'BOARDSHARP_TEST_THREAD_LOADED';
  t.after(() => delete process.env[loaded]);
  const thread = openThread<Request, Answer>('../../test/fixtures/obedient-thread', {
    finishes: true,
    eager: true,
    env: SHARE_ENV,
  });
  const closes = [thread.close(), thread.close()];
  await Promise.all(closes);
  assert.equal(process.env[loaded], 'yes');
});

test('a thread that finishes and cannot load is closed all the same', async () => {
  const thread = openThread<Request, Answer>('../../test/fixtures/no-such-thread', {
    finishes: true,
    eager: true,
  });
  await thread.close();
});

test('closing fails what is open, and may be repeated', async (t) => {
  const thread = openObedient(t);
  const open = [thread.call({ order: 'never' }), thread.call({ order: 'echo' })];
  const ends = open.map((call) => assert.rejects(call, { code: 'CANCELLED' }));
  await thread.close();
  await thread.close();
  await Promise.all(ends);
  await assert.rejects(thread.call({ order: 'echo' }), { code: 'CANCELLED' });
});
