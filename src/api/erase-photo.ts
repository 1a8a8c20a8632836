/** A user erases one photo, wherever it has got to: out of rooms, out of the reading trial, and itself. */
import { eraseUpscale, type Stores } from '../jobs/erasure.ts';
import { eraseCrops } from '../pilot/reading-trial.ts';
import { notifyRoom } from '../storage/notifications.ts';
import { removePicturesOf } from '../storage/room-picture-records.ts';
import { deleteItemsOfUpscale } from '../storage/trial-records.ts';
import { markErased } from '../storage/upscale-records.ts';

/** Cancels it if it is open. Doing it again changes nothing. */
export async function erasePhoto(stores: Stores, id: string): Promise<void> {
  const { db, blobs } = stores;
  const items = await db.transaction(async (tx) => {
    // Marked first: a trial that is being loaded sees it, or is seen here.
    await markErased(tx, id);
    for (const room of await removePicturesOf(tx, id)) await notifyRoom(tx, room);
    return deleteItemsOfUpscale(tx, id);
  });
  await eraseCrops(blobs, items);
  await eraseUpscale(stores, id);
}
