/** Photos whose owners let them be used, for the reading trial and for training. */
import { photoKey } from '../job.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Queryable } from '../storage/database.ts';
import { findGivenPhotos } from '../storage/user-records.ts';

/** A photo that may be used, as it was sent. */
export interface GivenPhoto {
  readonly upscaleId: string;
  readonly format: string;
  readonly bytes: Uint8Array;
}

/** The photos that may be used, the newest first. */
export async function* readGivenPhotos(
  { db, blobs }: { db: Queryable; blobs: Blobs },
  max: number,
): AsyncGenerator<GivenPhoto> {
  for (const { id, format } of await findGivenPhotos(db, max)) {
    yield { upscaleId: id, format, bytes: await blobs.read(photoKey(id)) };
  }
}
