/** Photos whose owners let them be used, for the reading trial and for training. */
import { photoKey } from '../job.ts';
import type { Blobs } from '../storage/blobs.ts';
import type { Queryable } from '../storage/database.ts';
import { findGiven, findGivenPhotos } from '../storage/user-records.ts';

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

const NAMED_BY_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.\w+$/;

/** The upscale a file is named by, as photos that may be used are; undefined for any other name. */
export function upscaleOf(fileName: string): string | undefined {
  return NAMED_BY_ID.exec(fileName)?.[1];
}

/**
 * Of files that were written as photos that may be used: those whose owners have taken that back, or erased them, and
 * those nobody here knows any more, because their owners erased everything of theirs or because they come from elsewhere.
 */
export async function findWithdrawn(
  db: Queryable,
  fileNames: readonly string[],
): Promise<{ withdrawn: string[]; unknown: string[] }> {
  const named = new Map(
    fileNames.flatMap((name) => {
      const id = upscaleOf(name);
      return id === undefined ? [] : [[name, id] as const];
    }),
  );
  const known = await findGiven(db, [...named.values()]);
  const given = new Map(known.map((photo) => [photo.id, photo.given]));
  const names = [...named.keys()];
  return {
    withdrawn: names.filter((name) => given.get(named.get(name) ?? '') === false),
    unknown: names.filter((name) => !given.has(named.get(name) ?? '')),
  };
}
