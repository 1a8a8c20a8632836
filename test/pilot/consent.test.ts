/** Consent on a real database: photos are used only with it, kept longer with it, and gone when it is taken back. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { changeConsent } from '../../src/api/change-consent.ts';
import { erasePhoto } from '../../src/api/erase-photo.ts';
import { photoKey } from '../../src/job.ts';
import { sweep } from '../../src/jobs/erasure.ts';
import { openQueue } from '../../src/jobs/queue.ts';
import { findWithdrawn, readGivenPhotos } from '../../src/pilot/consent.ts';
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
    const load = (name: string, meanwhile = async () => {}) => {
      const text = { text: 'x', kind: 'word' as const, language: 'en', letterHeight: 6 };
      const box = { left: 4, top: 4, right: 30, bottom: 30 };
      const board = { photo: name, boardKind: 'green', texts: [{ ...text, box }], bytes };
      return loadTrial(
        { db, blobs, upscaler },
        name,
        (async function* () {
          yield board;
          await meanwhile();
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

    await agree(true);
    assert.deepEqual(await given(), [later], 'who agrees once more has agreed all the time');

    // One photo alone is taken back by erasing it; the words of it go with it.
    const another = await done(anna);
    const { id: other } = await load(`${another}.png`);
    await erasePhoto(stores, another);
    assert.equal((await listTrials(db)).find((trial) => trial.id === other)?.items, 0);
    assert.equal((await collect(blobs.list('trials/'))).length, 2, 'the crops of the first');
    await assert.rejects(load(`${another}.png`), { code: 'TRIAL_FOLDER' });

    // While a folder was being worked on it was taken back: nothing of it is kept.
    const last = await done(anna);
    await assert.rejects(
      load(`${last}.png`, () => agree(false)),
      { code: 'TRIAL_FOLDER' },
    );
    assert.deepEqual(await given(), []);
    assert.equal(
      (await listTrials(db)).find((trial) => trial.id === id)?.items,
      0,
      'nobody is shown it any more',
    );
    assert.deepEqual(await collect(blobs.list('trials/')), []);
    await assert.rejects(load(`${later}.png`), { code: 'TRIAL_FOLDER' });
    // A folder that photos were written to before is told what to give up.
    const nobodys = `${randomUUID()}.png`;
    assert.deepEqual(await findWithdrawn(db, ['trial.json', 'lecture.png', `${later}.png`, nobodys]), {
      ...{ withdrawn: [`${later}.png`], unknown: [nobodys] },
    });
    await sweep(stores, { retentionMs: RETENTION_MS, now: LATER() });
    assert.deepEqual(await db.query('select id from upscales where erased_at is null'), []);
    // Crops that a crash left behind belong to no word any more.
    await blobs.put(`trials/${randomUUID()}/original`, bytes);
    await sweep(stores, { retentionMs: RETENTION_MS, now: new Date(Date.now() + 2 * 86_400_000) });
    assert.deepEqual(await collect(blobs.list('trials/')), []);
    await db.query('delete from trials');
  });
});
