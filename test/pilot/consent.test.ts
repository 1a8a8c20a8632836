/** Consent on a real database: photos are used only with it, kept longer with it, and gone when it is taken back. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { changeConsent } from '../../src/api/change-consent.ts';
import { photoKey } from '../../src/job.ts';
import { sweep } from '../../src/jobs/erasure.ts';
import { openQueue } from '../../src/jobs/queue.ts';
import { readGivenPhotos } from '../../src/pilot/consent.ts';
import { loadTrial } from '../../src/pilot/reading-trial.ts';
import { openDiskBlobs } from '../../src/storage/disk-blobs.ts';
import { listTrials } from '../../src/storage/trial-records.ts';
import { collect } from '../helpers/api.ts';
import { onEachDatabase } from '../helpers/database.ts';
import { openTestEngine, png, temporaryFolder } from '../helpers/engine.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { createUser, SILENT } from '../helpers/service.ts';

const RETENTION_MS = 3_600_000;
const LATER = (): Date => new Date(Date.now() + 3 * RETENTION_MS);

onEachDatabase('consent', (open) => {
  test('photos are used only of who agreed, only from then on, and no more when it is taken back', async (t) => {
    const db = await open();
    const blobs = await openDiskBlobs(temporaryFolder(t));
    const queue = await openQueue({ db, log: SILENT, maintain: false });
    t.after(() => queue.close());
    const stores = { db, blobs, queue };
    const { upscaler } = await openTestEngine(t);
    const bytes = await png(drawBoard(96, 48));
    const [anna, boris] = [await createUser(db), await createUser(db)];
    /** A photo that is done, as a worker leaves it. */
    const done = async (userId: string): Promise<string> => {
      const id = randomUUID();
      await blobs.put(photoKey(id), bytes);
      await db.query(
        `insert into upscales (id, user_id, status, look, format, input, turn, finished_at)
         values ($1, $2, 'done', 'natural', 'png', '{"width": 96, "height": 48, "bytes": 100, "format": "png"}', 0, now())`,
        [id, userId],
      );
      return id;
    };
    const given = async (): Promise<string[]> =>
      (await collect(readGivenPhotos(stores, 10))).map((one) => one.upscaleId);
    const load = (name: string) => {
      const text = { text: 'x', kind: 'word' as const, language: 'en', letterHeight: 6 };
      const box = { left: 4, top: 4, right: 30, bottom: 30 };
      const board = { photo: name, boardKind: 'green', texts: [{ ...text, box }], bytes };
      return loadTrial(
        { db, blobs, upscaler },
        name,
        (async function* () {
          yield board;
        })(),
      );
    };
    const agree = (agreed: boolean) => changeConsent(stores, anna, { agreed, retentionMs: RETENTION_MS });

    const [before, others] = [await done(anna), await done(boris)];
    assert.deepEqual(await given(), [], 'nothing is given unless somebody says so');
    await assert.rejects(load(`${others}.png`), { code: 'TRIAL_FOLDER' });
    await agree(true);
    assert.deepEqual(await given(), [], 'what was sent before is not meant');
    const later = await done(anna);
    assert.deepEqual(await given(), [later]);
    const { id } = await load(`${later}.png`);
    assert.equal((await listTrials(db)).find((trial) => trial.id === id)?.items, 1);
    // Old enough to be erased: only what may be used stays.
    await sweep(stores, { retentionMs: RETENTION_MS, now: LATER() });
    const kept = await db.query<{ id: string }>('select id from upscales where erased_at is null');
    assert.deepEqual(
      kept.map((row) => row.id),
      [later],
    );
    assert.ok(before);

    await agree(false);
    assert.deepEqual(await given(), []);
    assert.equal(
      (await listTrials(db)).find((trial) => trial.id === id)?.items,
      0,
      'nobody is shown it any more',
    );
    assert.deepEqual(await collect(blobs.list('trials/')), []);
    await assert.rejects(load(`${later}.png`), { code: 'TRIAL_FOLDER' });
    await sweep(stores, { retentionMs: RETENTION_MS, now: LATER() });
    assert.deepEqual(await db.query('select id from upscales where erased_at is null'), []);
    await db.query('delete from trials where id = $1', [id]);
  });
});
