/** A backup that docs/operations.md tells to make gives everything back: users, results, and the photos that still wait. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { openQueue } from '../../src/jobs/queue.ts';
import { migrate } from '../../src/storage/migrations.ts';
import { openPostgres } from '../../src/storage/postgres-database.ts';
import { findUpscale } from '../../src/storage/upscale-records.ts';
import { findUsage } from '../../src/storage/user-records.ts';
import { createPostgresDatabase, DATABASE_KINDS } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { createUser, newUpscale, openTestQueue, SILENT } from '../helpers/service.ts';

const skip = !DATABASE_KINDS.some((kind) => kind === 'postgres')
  ? 'TEST_DATABASE_URL is not set'
  : spawnSync('pg_dump', ['--version']).status !== 0 && 'pg_dump is not installed';

test('pg_dump and pg_restore bring the service to another server, and it goes on there', {
  skip,
}, async (t) => {
  const [from, to] = [await createPostgresDatabase(), await createPostgresDatabase()];
  t.after(() => Promise.all([from.remove(), to.remove()]));
  const before = openPostgres(from.url);
  t.after(() => before.close());
  await migrate(before);
  const queue = await openTestQueue(t, before);
  const userId = await createUser(before);
  const [done, inWork, waiting] = [newUpscale(userId), newUpscale(userId), newUpscale(userId)];
  await queue.enqueue(done);
  const first = await queue.claim(1);
  assert.ok(first);
  const { input, scale, model } = first.upscale;
  const rest = { output: null, reducedTo: null, quality: null, timings: null, workedMs: 5 };
  assert.ok(await queue.finish(first, { input, scale, model, ...rest }));
  await queue.enqueue(inWork);
  assert.equal((await queue.claim(1))?.id, inWork.id);
  await queue.enqueue(waiting);

  const file = join(temporaryFolder(t), 'boardsharp.dump');
  execFileSync('pg_dump', ['--format=custom', `--file=${file}`, from.url]);
  execFileSync('pg_restore', ['--no-owner', '--exit-on-error', `--dbname=${to.url}`, file]);

  const after = openPostgres(to.url);
  t.after(() => after.close());
  // As every role does when it starts.
  await migrate(after);
  const restored = await openQueue({ db: after, log: SILENT });
  t.after(() => restored.close());
  assert.deepEqual(await findUpscale(after, done.id, userId), await findUpscale(before, done.id, userId));
  assert.deepEqual(await findUsage(after, userId), { photos: 3, bytes: 3000 });
  // Its worker does not live there.
  assert.equal(await restored.recover(2), 1);
  const claimed = [(await restored.claim(2))?.id, (await restored.claim(2))?.id];
  assert.deepEqual(claimed.sort(), [inWork.id, waiting.id].sort());
  await restored.enqueue(newUpscale(userId));
  assert.ok(await restored.claim(2), 'what comes afterwards is worked on too');
});
