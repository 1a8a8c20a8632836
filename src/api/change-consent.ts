/** A user lets their photos be used, or takes that back with everything that came of it. */
import { eraseUpscale, type Stores } from '../jobs/erasure.ts';
import { eraseCrops } from '../pilot/reading-trial.ts';
import { deleteItemsOfUser } from '../storage/trial-records.ts';
import { findExpiredOfUser } from '../storage/upscale-records.ts';
import { saveConsent } from '../storage/user-records.ts';

/**
 * From now on the user's photos may be used, or no more. Taking it back removes their photos from the reading trial, with
 * everything that was read there, and erases what was kept only because they had agreed.
 */
export async function changeConsent(
  { db, blobs, queue }: Stores,
  userId: string,
  { agreed, retentionMs }: { readonly agreed: boolean; readonly retentionMs: number },
): Promise<void> {
  if (agreed) return saveConsent(db, userId, new Date());
  const items = await db.transaction(async (tx) => {
    await saveConsent(tx, userId, null);
    return deleteItemsOfUser(tx, userId);
  });
  await eraseCrops(blobs, items);
  const before = new Date(Date.now() - retentionMs);
  for (const id of await findExpiredOfUser(db, userId, before)) await eraseUpscale({ db, blobs, queue }, id);
}
