/** Erases photos and results: of one upscale, of a user with everything that is theirs, and of all that are too old. */
import { BLOB_PREFIXES, CROP_PREFIX, photoKey, resultKey, tilePrefix } from '../job.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Database } from '../storage/database.ts';
import { findItemIds } from '../storage/trial-records.ts';
import { findExpired, findIdsOfUser, findKept, markErased } from '../storage/upscale-records.ts';
import { deleteUser } from '../storage/user-records.ts';
import type { Queue } from './queue.ts';

export interface Stores {
  readonly db: Database;
  readonly blobs: Blobs;
  readonly queue: Queue;
}

/** Cancels the upscale if it is open, then erases photo, result and tiles. The row stays, without them. */
export async function eraseUpscale({ db, blobs, queue }: Stores, id: string): Promise<void> {
  await queue.cancel(id);
  // Marked first: whatever a crash leaves, or a worker still writes, the sweep then knows to be nobody's.
  await markErased(db, id);
  await eraseBlobs(blobs, id);
}

/** Photo, result and tiles of one upscale. */
export async function eraseBlobs(blobs: Blobs, id: string): Promise<void> {
  await blobs.delete(photoKey(id));
  await blobs.delete(resultKey(id));
  await eraseTiles(blobs, id);
}

/** The saved tiles of one upscale. */
export async function eraseTiles(blobs: Blobs, id: string): Promise<void> {
  for await (const { key } of blobs.list(tilePrefix(id))) await blobs.delete(key);
}

/** Erases the user, all their images and all rows that are theirs. */
export async function eraseUser(stores: Stores, userId: string): Promise<void> {
  for (const id of await findIdsOfUser(stores.db, userId)) await eraseUpscale(stores, id);
  await deleteUser(stores.db, userId);
}

const BATCH = 200;
/** Younger blobs may belong to a photo whose row is about to be written. */
const OWNERLESS_AFTER_MS = 3_600_000;
/** Crops are stored while a folder is worked on, and their rows are written at its end. */
const OWNERLESS_CROPS_AFTER_MS = 86_400_000;

/** Erases what ended longer than `retentionMs` ago, and blobs that are nobody's. Returns how many upscales it erased. */
export async function sweep(
  stores: Stores,
  { retentionMs, now = new Date() }: { retentionMs: number; now?: Date },
): Promise<number> {
  let erased = 0;
  for (;;) {
    const expired = await findExpired(stores.db, new Date(now.getTime() - retentionMs), BATCH);
    for (const id of expired) await eraseUpscale(stores, id);
    erased += expired.length;
    if (expired.length < BATCH) break;
  }
  const oldEnough = new Date(now.getTime() - OWNERLESS_AFTER_MS);
  for (const prefix of BLOB_PREFIXES) {
    await sweepOwnerless(stores, prefix, oldEnough, async (ids) =>
      (await findKept(stores.db, ids))
        // Tiles are for work that is not finished; photo and result stay as long as their upscale keeps them.
        .filter(({ ended }) => !(prefix === 'tiles/' && ended))
        .map(({ id }) => id),
    );
  }
  const loadedBefore = new Date(now.getTime() - OWNERLESS_CROPS_AFTER_MS);
  await sweepOwnerless(stores, CROP_PREFIX, loadedBefore, (ids) => findItemIds(stores.db, ids));
  return erased;
}

/** @param findOwners which of these ids keep their blobs */
async function sweepOwnerless(
  { blobs }: Stores,
  prefix: string,
  before: Date,
  findOwners: (ids: readonly string[]) => Promise<string[]>,
): Promise<void> {
  let batch: string[] = [];
  async function flush(): Promise<void> {
    const owners = new Set(await findOwners([...new Set(batch.map(ownerOf))]));
    for (const key of batch) if (!owners.has(ownerOf(key))) await blobs.delete(key);
    batch = [];
  }
  for await (const { key, modifiedAt } of blobs.list(prefix)) {
    if (modifiedAt >= before) continue;
    if (batch.push(key) >= BATCH) await flush();
  }
  await flush();
}

/** The id of the upscale, or of the trial's item, in a key. */
function ownerOf(key: string): string {
  return key.split('/')[1] ?? '';
}
