/** Workers that are killed at any moment lose nothing: every photo is done once, and only tiles in flight are run again. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { enlargeBicubic } from '../../src/engine/bicubic.ts';
import { decode } from '../../src/engine/image-codec.ts';
import { resultKey } from '../../src/job.ts';
import { Secret } from '../../src/secret.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { findUpscale } from '../../src/storage/upscale-records.ts';
import { prepareDatabase } from '../helpers/data-folder.ts';
import { createPostgresDatabase, DATABASE_KINDS } from '../helpers/database.ts';
import { png, temporaryFolder } from '../helpers/engine.ts';
import { drawBoard, meanDifference } from '../helpers/pictures.ts';
import { NODE_FLAGS } from '../helpers/program.ts';
import { integer, seededRandom } from '../helpers/seed.ts';
import { createUser, openTestQueue, send } from '../helpers/service.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/worker-process.ts', import.meta.url));
/** More of both for a longer trial. */
const KILLS = Number(process.env.KILLS ?? 3);
const PHOTOS = Number(process.env.PHOTOS ?? 4);
const CONCURRENCY = 2;

for (const kind of DATABASE_KINDS) {
  test(`on ${kind} a worker killed ${KILLS} times does ${PHOTOS} photos once each`, async (t) => {
    const random = seededRandom(t);
    const dataDir = temporaryFolder(t);
    const server = kind === 'postgres' ? await createPostgresDatabase() : undefined;
    if (server === undefined) await prepareDatabase(dataDir);
    const settings = { dataDir, databaseUrl: server && new Secret(server.url) };
    // Each of another size: a tile's name then says whose it is.
    const photos = Array.from({ length: PHOTOS }, (_, i) => drawBoard(150 + 2 * i, 110, random));

    const ids = await withStores(t, settings, async ({ db, queue, blobs }) => {
      const userId = await createUser(db);
      const sent: string[] = [];
      for (const photo of photos) sent.push(await send({ queue, blobs }, userId, await png(photo)));
      return sent;
    });

    const env = {
      ...{ PATH: process.env.PATH, DATA_DIR: dataDir, DATABASE_URL: server?.url, JOB_TIMEOUT: '10m' },
      WORKER_CONCURRENCY: String(CONCURRENCY),
    };
    const begun: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      // In the middle of whatever it is doing then.
      const lines = integer(random, 1, 25);
      const idle = await runWorker(t, env, { begun, killAfter: lines });
      if (idle) break;
    }
    assert.ok(await runWorker(t, env, { begun, killAfter: undefined }));

    await withStores(t, settings, async ({ db, queue, blobs }) => {
      assert.deepEqual(await queue.state(), { queued: 0, processing: 0, dead: 0, oldestSeconds: 0 });
      for (const [i, id] of ids.entries()) {
        const done = await findUpscale(db, id);
        assert.equal(done?.status, 'done', done?.error?.message);
        const result = await decode(await blobs.read(resultKey(id)), 'png', { maxPixels: 1e9 });
        const photo = photos[i];
        assert.ok(photo && meanDifference(result, enlargeBicubic(photo, 2)) < 20, 'it shows its own board');
      }
      const [ends] = await db.query<{ n: number }>(
        `select count(*)::int as n from upscales where status = 'done'`,
      );
      assert.equal(ends?.n, PHOTOS);
    });
    const tiles = new Set(begun).size;
    t.diagnostic(`${tiles} tiles, begun ${begun.length} times`);
    assert.ok(tiles >= PHOTOS * 4);
    // In flight at a kill: of each photo at work the tile being run, and the one before that is being saved.
    assert.ok(begun.length <= tiles + 2 * CONCURRENCY * KILLS);
    await server?.remove();
  });
}

/** Runs the worker until it is idle (true), or kills it after that many lines (false). */
async function runWorker(
  t: TestContext,
  env: Record<string, string | undefined>,
  { begun, killAfter }: { begun: string[]; killAfter: number | undefined },
): Promise<boolean> {
  const worker: ChildProcess = spawn(process.execPath, [...NODE_FLAGS, FIXTURE], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => worker.kill('SIGKILL'));
  const exited = once(worker, 'exit');
  let lines = 0;
  let idle = false;
  assert.ok(worker.stdout);
  for await (const line of createInterface({ input: worker.stdout })) {
    if (line.startsWith('begins ')) begun.push(line);
    if (line === 'idle') idle = true;
    if (idle || ++lines === killAfter) worker.kill('SIGKILL');
  }
  await exited;
  return idle;
}

async function withStores<T>(
  t: TestContext,
  settings: Parameters<typeof openDatabase>[0],
  work: (stores: {
    db: Awaited<ReturnType<typeof openDatabase>>;
    queue: Awaited<ReturnType<typeof openTestQueue>>;
    blobs: Awaited<ReturnType<typeof openDiskBlobs>>;
  }) => Promise<T>,
): Promise<T> {
  const db = await openDatabase(settings);
  const queue = await openTestQueue(t, db);
  const blobs = await openDiskBlobs(join(settings.dataDir, 'blobs'));
  try {
    return await work({ db, queue, blobs });
  } finally {
    await queue.close();
    await db.close();
  }
}
