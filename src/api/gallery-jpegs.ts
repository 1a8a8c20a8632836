/** The pictures of a room's page that are made for it: small ones for the list, and photos without what they tell of their owner. */
import type { Config } from '../config.ts';
import { decode, encode, fitInto, reduce } from '../engine/image-codec.ts';
import type { InputFormat } from '../engine/image-format.ts';
import { photoKey, resultKey, type Upscale } from '../job.ts';
import type { Blobs } from '../storage/blobs.ts';

/** Longest side of a picture in the list, in pixels; the whole one is shown when somebody looks closer. */
const PREVIEW = { maxSide: 1600, maxBytes: 600_000 };
/** A hall of phones asks for the same picture at the same moment. */
const MAX_PREVIEWS = 60;
const MAX_PHOTOS = 12;
const KEPT_MS = 600_000;

type Maker = (upscale: Upscale) => Promise<Uint8Array>;

/** Each is a JPEG without metadata, made once for all who ask within a while. They reject where the image is erased. */
export function createPageJpegs(
  blobs: Blobs,
  { maxInputSide, maxInputPixels: maxPixels }: Pick<Config, 'maxInputSide' | 'maxInputPixels'>,
): { readonly preview: Maker; readonly original: Maker } {
  return {
    preview: onceForAll(MAX_PREVIEWS, async ({ id }) =>
      fitInto(await blobs.read(resultKey(id)), PREVIEW, { mustBeJpeg: true }),
    ),
    // The file itself would tell whoever has the room's link where and with what it was taken.
    original: onceForAll(MAX_PHOTOS, async ({ id, input }) => {
      const photo = await decode(await blobs.read(photoKey(id)), input.format as InputFormat, { maxPixels });
      const isLarge = Math.max(photo.width, photo.height) > maxInputSide;
      return encode(isLarge ? await reduce(photo, maxInputSide) : photo, 'jpeg');
    }),
  };
}

/** Makes one picture after another: whole photos are large, and anybody who has the room's link can ask for all of them at once. */
function onceForAll(most: number, make: Maker): Maker {
  const kept = new Map<string, { readonly madeAt: number; readonly bytes: Promise<Uint8Array> }>();
  let last: Promise<unknown> = Promise.resolve();
  return (upscale) => {
    const now = performance.now();
    // They stand in the order in which they were asked for.
    for (const [key, { madeAt }] of kept) {
      if (now - madeAt < KEPT_MS) break;
      kept.delete(key);
    }
    const known = kept.get(upscale.id);
    if (known !== undefined) return known.bytes;
    const [oldest] = kept.keys();
    if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
    const bytes = last.then(() => make(upscale));
    const entry = { madeAt: now, bytes };
    kept.set(upscale.id, entry);
    last = bytes.catch(() => {
      // Somebody may have asked again since it had to make room.
      if (kept.get(upscale.id) === entry) kept.delete(upscale.id);
    });
    return bytes;
  };
}
