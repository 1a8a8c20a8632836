/** The worker: starts at once, finishes, resumes from the last tile, stops in time, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { decode } from '../../src/engine/image-codec.ts';
import { isFinal, photoKey, resultKey, type Upscale } from '../../src/job.ts';
import { eraseUpscale, eraseUser, type Stores, sweep } from '../../src/jobs/erasure.ts';
import { createRunUpscale } from '../../src/jobs/run-upscale.ts';
import { openWatch, type Watch } from '../../src/jobs/watch.ts';
import type { Database } from '../../src/storage/database.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { findUpscale } from '../../src/storage/upscale-records.ts';
import { findUser } from '../../src/storage/user-records.ts';
import { startWorker, type Worker } from '../../src/worker/worker.ts';
import { openCountingEngine } from '../helpers/counting-engine.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { png, temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { createUser, newUpscale, openTestQueue, SILENT, send } from '../helpers/service.ts';

interface TestService {
  readonly stores: Stores;
  readonly watch: Watch;
  /** Names of the tiles the network was run on, in order. */
  readonly tiles: string[];
  /** Called before each tile. */
  onTile: () => void | Promise<void>;
  startWorker(options?: {
    concurrency?: number;
    jobTimeoutMs?: number;
    looksByItself?: boolean;
  }): Promise<Worker>;
  /** The upscale once `is` holds for it. */
  until(id: string, is: (upscale: Upscale) => boolean): Promise<Upscale>;
  /** Keys of all blobs. */
  blobKeys(): Promise<string[]>;
}

async function openTestService(t: TestContext, db: Database): Promise<TestService> {
  const folder = temporaryFolder(t);
  const config = readConfig({ DATA_DIR: folder, EXECUTION_PROVIDER: 'cpu' });
  const blobs = await openDiskBlobs(folder);
  const stores = { db, blobs, queue: await openTestQueue(t, db) };
  const watch = await openWatch(db);
  const tiles: string[] = [];
  const engine = await openCountingEngine(config, async (name, when) => {
    if (when === 'ended') return;
    tiles.push(name);
    await service.onTile();
  });
  const workers: Worker[] = [];
  t.after(async () => {
    await Promise.all(workers.map((worker) => worker.stop(0)));
    await Promise.all([engine.close(), watch.close()]);
  });
  const service: TestService = {
    stores,
    watch,
    tiles,
    onTile: () => {},
    async startWorker({ concurrency = 1, jobTimeoutMs = 60_000, looksByItself } = {}) {
      const run = createRunUpscale({ stores, watch, upscaler: engine.upscaler, jobTimeoutMs, log: SILENT });
      const { queue } = stores;
      const worker = await startWorker({ db, queue, run, concurrency, looksByItself, log: SILENT });
      workers.push(worker);
      return worker;
    },
    async until(id, is) {
      const { promise, resolve, reject } = Promise.withResolvers<Upscale>();
      const look = async () => {
        const upscale = await findUpscale(db, id);
        if (upscale !== undefined && is(upscale)) resolve(upscale);
      };
      const unwatch = watch.upscale(id, () => void look().catch(() => look().catch(reject)));
      await look();
      return promise.finally(unwatch);
    },
    async blobKeys() {
      const keys: string[] = [];
      for (const prefix of ['photos/', 'results/', 'tiles/']) {
        for await (const { key } of blobs.list(prefix)) keys.push(key);
      }
      return keys.sort();
    },
  };
  return service;
}

const ended = ({ status }: Upscale) => isFinal(status);
/** Longer than any test. */
const NEVER_MS = 3_600_000;
/** Six tiles of the small kind. */
const LARGE = () => png(drawBoard(200, 130));

onEachDatabase('a worker', (open, kind) => {
  test('outlives a database that cuts every connection', async (t) => {
    if (kind === 'embedded') return t.skip('there are no connections to cut');
    const db = await open();
    const service = await openTestService(t, db);
    await service.startWorker();
    let begun = 0;
    service.onTile = async () => {
      if (++begun !== 3 && begun !== 6) return;
      const cut = `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
      await db.query(cut);
    };
    const ids = [];
    const userId = await createUser(db);
    for (let i = 0; i < 3; i++) ids.push(await send(service.stores, userId, await LARGE()));
    for (const id of ids) {
      const done = await service.until(id, ended);
      assert.equal(done.status, 'done', done.error?.message);
    }
  });

  test('turns a photo into a result and leaves photo and result alone', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    await service.startWorker();
    const id = await send(service.stores, await createUser(db), await LARGE());
    const done = await service.until(id, ended);
    assert.equal(done.status, 'done', done.error?.message);
    assert.deepEqual([done.progress, done.output?.width, done.output?.height], [1, 400, 260]);
    assert.equal(typeof done.quality?.verdict, 'string');
    assert.ok((done.timings?.network ?? 0) > 0);
    const result = await service.stores.blobs.read(resultKey(id));
    assert.equal((await decode(result, 'png', { maxPixels: 1e9 })).width, 400);
    assert.ok(service.tiles.length > 3);
    // The tiles are erased after the end is told.
    await service.stores.queue.state();
    const keys = await service.blobKeys();
    assert.deepEqual(
      keys.filter((key) => !key.startsWith('tiles/')),
      [photoKey(id), resultKey(id)],
    );
  });

  test('starts at once when idle, without ever looking by itself', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    await service.startWorker({ looksByItself: false });
    const [userId, photo] = [await createUser(db), await png(drawBoard(16, 16))];
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const id = await send(service.stores, userId, photo);
      const startedAt = performance.now();
      await service.until(id, ({ status }) => status !== 'queued');
      waits.push(performance.now() - startedAt);
      await service.until(id, ended);
    }
    t.diagnostic(`started after ${waits.map((ms) => ms.toFixed(1)).join(', ')} ms`);
  });

  test('ends bad photos at once, each with its own code', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    await service.startWorker();
    const userId = await createUser(db);
    const whole = await LARGE();
    for (const [photo, code] of [
      [Buffer.from('no pixels'), 'NOT_AN_IMAGE'],
      [whole.subarray(0, 200), 'IMAGE_BROKEN'],
    ] as const) {
      const failed = await service.until(await send(service.stores, userId, photo), ended);
      assert.deepEqual([failed.status, failed.error?.code], ['failed', code]);
    }
    assert.equal((await service.stores.queue.state()).dead, 0);
    assert.deepEqual(service.tiles, []);
  });

  test('hands back what it cannot finish, and the next goes on from the last tile', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    const photo = await LARGE();
    const userId = await createUser(db);
    const first = await service.startWorker();
    const third = Promise.withResolvers<void>();
    let begun = 0;
    service.onTile = () => {
      if (++begun === 3) third.resolve();
    };
    const id = await send(service.stores, userId, photo);
    await third.promise;
    await first.stop(0);
    const back = await findUpscale(db, id);
    assert.equal(back?.status, 'queued');
    const { blobs } = service.stores;
    const saved = (await service.blobKeys()).filter((key) => key.startsWith('tiles/'));
    const [broken = ''] = saved;
    const tile = await blobs.read(broken);
    // As a power cut may leave it.
    await blobs.put(broken, tile.fill(0, tile.length >> 1));
    await service.startWorker();
    const done = await service.until(id, ended);
    assert.equal(done.status, 'done');
    const different = new Set(service.tiles);
    t.diagnostic(`${different.size} tiles, ${service.tiles.length} runs`);
    assert.ok(different.size > 3);
    // The engine has two tiles under way: one in the network, one being finished and saved.
    assert.ok(
      service.tiles.length <= different.size + 3,
      'only the tiles in flight and the broken one are run again',
    );
    const [name = ''] = service.tiles;
    assert.equal(service.tiles.filter((other) => other === name).length, 2, 'the broken one is run again');

    // The same as if nothing had happened.
    const undisturbed = await service.until(await send(service.stores, userId, photo), ended);
    const results = [id, undisturbed.id].map(async (one) => {
      const bytes = await service.stores.blobs.read(resultKey(one));
      return decode(bytes, 'png', { maxPixels: 1e9 });
    });
    assert.deepEqual(...((await Promise.all(results)) as [unknown, unknown]));
  });

  test('finishes what it can within its grace', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    const worker = await service.startWorker();
    const begun = Promise.withResolvers<void>();
    service.onTile = () => begun.resolve();
    const id = await send(service.stores, await createUser(db), await LARGE());
    await begun.promise;
    // However slow the machine is.
    await worker.stop(NEVER_MS);
    assert.equal((await findUpscale(db, id))?.status, 'done');
    assert.equal(worker.running, 0);
  });

  test('stops at the next tile when the photo is erased, and nothing stays', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    const worker = await service.startWorker();
    let begun = 0;
    let erasing: Promise<void> | undefined;
    const second = Promise.withResolvers<string>();
    service.onTile = async () => {
      if (++begun !== 2) return;
      erasing = second.promise.then((id) => eraseUpscale(service.stores, id));
      await erasing;
    };
    const id = await send(service.stores, await createUser(db), await LARGE());
    second.resolve(id);
    const cancelled = await service.until(id, ended);
    assert.equal(cancelled.status, 'cancelled');
    await erasing;
    await worker.stop(0);
    assert.deepEqual(await service.blobKeys(), []);
    assert.ok(service.tiles.length <= 2);
  });

  test('ends a photo that takes longer than JOB_TIMEOUT', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    await service.startWorker({ jobTimeoutMs: 1 });
    const failed = await service.until(
      await send(service.stores, await createUser(db), await LARGE()),
      ended,
    );
    assert.deepEqual([failed.status, failed.error?.code], ['failed', 'TIMEOUT']);
    assert.match(failed.error?.message ?? '', /took too long.*JOB_TIMEOUT/);
  });

  test('erases what is too old and what is nobody’s, and a user with everything', async (t) => {
    const db = await open();
    const service = await openTestService(t, db);
    await service.startWorker();
    const { stores } = service;
    const [userId, other, photo] = [await createUser(db), await createUser(db), await png(drawBoard(16, 16))];
    const [old, young, others] = [
      await send(stores, userId, photo),
      await send(stores, userId, photo),
      await send(stores, other, photo),
    ];
    for (const id of [old, young, others]) assert.equal((await service.until(id, ended)).status, 'done');
    await db.query(`update upscales set finished_at = now() - interval '73 hours' where id = $1`, [old]);
    const stray = photoKey(newUpscale(userId).id);
    await stores.blobs.put(stray, photo);
    const retentionMs = 72 * 3_600_000;

    assert.equal(await sweep(stores, { retentionMs }), 1);
    assert.deepEqual((await findUpscale(db, old))?.status, 'done', 'the row stays');
    assert.ok((await findUpscale(db, old))?.erasedAt);
    const kept = (await service.blobKeys()).filter((key) => !key.startsWith('tiles/'));
    assert.deepEqual(kept, [...[young, others].flatMap((id) => [photoKey(id), resultKey(id)]), stray].sort());

    // In two hours the stray is no photo about to be queued any more.
    await sweep(stores, { retentionMs, now: new Date(Date.now() + 2 * 3_600_000) });
    assert.equal(await stores.blobs.size(stray), undefined);

    await eraseUser(stores, userId);
    assert.equal(await findUser(db, userId), undefined);
    assert.equal(await findUpscale(db, young), undefined);
    assert.deepEqual(await service.blobKeys(), [photoKey(others), resultKey(others)].sort());
  });
});
