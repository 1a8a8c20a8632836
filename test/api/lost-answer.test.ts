/** The connection to the database breaks just as a photo is accepted: nobody knows whether it was, and nothing is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer } from '../../src/api/server.ts';
import type { UpscaleState } from '../../src/client/client.ts';
import { readConfig } from '../../src/config.ts';
import { loadCatalogue } from '../../src/engine/models.ts';
import { AppError } from '../../src/errors.ts';
import { photoKey } from '../../src/job.ts';
import { openQueue, type Queue } from '../../src/jobs/queue.ts';
import { openWatch } from '../../src/jobs/watch.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { photo } from '../helpers/api.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { SILENT } from '../helpers/service.ts';

onEachDatabase('a photo whose commit got no answer', (open) => {
  test('is kept, and found by its idempotency key', async (t) => {
    const db = await open();
    const config = readConfig({ DATA_DIR: temporaryFolder(t) });
    const blobs = await openDiskBlobs(config.dataDir);
    const real = await openQueue({ db, log: SILENT });
    const watch = await openWatch(db);
    let answers = false;
    const queue: Queue = {
      ...real,
      async enqueue(...args) {
        const accepted = await real.enqueue(...args);
        if (answers) return accepted;
        throw new AppError('DATABASE', 'the connection broke');
      },
    };
    const catalogue = await loadCatalogue(config);
    const stores = { db, blobs, queue };
    const server = await createServer({ config, stores, watch, catalogue, log: SILENT, version: '0' });
    t.after(async () => {
      await server.close();
      await watch.close();
      await real.close();
    });
    const send = async () =>
      server.inject({
        method: 'POST',
        url: '/v1/upscales',
        headers: { 'content-type': 'application/octet-stream', 'idempotency-key': 'one' },
        payload: Buffer.from(await photo()),
      });
    assert.equal((await send()).statusCode, 503);
    answers = true;
    const again = await send();
    assert.equal(again.statusCode, 202);
    const { id } = again.json<UpscaleState>();
    assert.equal(await blobs.size(photoKey(id)), (await photo()).length, 'its photo is there');
    const photos: string[] = [];
    for await (const { key } of blobs.list('photos/')) photos.push(key);
    assert.deepEqual(photos, [photoKey(id)]);
  });
});
