import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPostgresDatabase } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { sendWhileKilling } from '../helpers/killing.ts';
import { seededRandom } from '../helpers/seed.ts';

// The same embedded is in serve-command.test.ts; `npm run kill-test` does both at length.
const skip = process.env.TEST_DATABASE_URL === undefined && 'needs TEST_DATABASE_URL';

test('photos end right, and once, while api and workers are killed', {
  skip,
  timeout: 100_000,
}, async (t) => {
  const random = seededRandom(t);
  const database = await createPostgresDatabase();
  t.after(() => database.remove());
  const report = await sendWhileKilling({
    roles: 'apart',
    photos: 12,
    kills: 3,
    folder: temporaryFolder(t),
    databaseUrl: database.url,
    photo: { width: 200, height: 150 },
    random,
  });
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual([report.ends, report.rows, report.done, report.wrong], [{ done: 12 }, 12, 12, []]);
});
