/** Passes a whole result through the quality gate, window by window, and puts the repairs into it. */
import pMap from 'p-map';
import type { PixelWork } from './pixel-work.ts';
import { cutOut, paste, type Raster, type Rect, scaleRect } from './pixels.ts';
import { type Quality, verdictOf } from './quality-gate.ts';
import { planTiles, type Tile } from './tiles.ts';

/** Windows of about 512×512 photo pixels with the margin that judging their edges needs, cut at whole 8×8 blocks. */
const WINDOWS = { halo: 10, multiple: 8, tilePixels: 532 * 532 };

/** How many windows are copied and judged at a time: as many as there are threads for it. */
const AT_ONCE = 2;

/**
 * Judges `result`, which is `scale` times the size of `photo`, and repairs it in place: parts that disagree with the
 * photo become bicubic, and all of it when the whole cannot be trusted.
 * @throws AppError CANCELLED or ENGINE_CRASHED, with `result` left as it was
 */
export async function passGate(
  pixelWork: PixelWork,
  photo: Raster,
  result: Raster,
  scale: number,
  signal?: AbortSignal,
): Promise<Quality> {
  const windows = planTiles(photo.width, photo.height, WINDOWS);

  /** Does `work` for every window; answers in the windows' order. */
  const forEachWindow = <Response>(
    work: (read: Rect, core: Rect) => Promise<Response>,
  ): Promise<Response[]> =>
    pMap(
      windows,
      ({ read, keep }) => work(read, { ...keep, left: keep.left - read.left, top: keep.top - read.top }),
      { concurrency: AT_ONCE },
    );

  const judged = await forEachWindow((read, core) => {
    const window = {
      photo: cutOut(photo, read),
      result: cutOut(result, scaleRect(read, scale)),
      scale,
      core,
    };
    return pixelWork.call({ kind: 'judge', window }, signal);
  });
  const quality = verdictOf(judged.map(({ findings }) => findings));
  const repairs: { raster: Raster | null }[] =
    quality.verdict === 'fallback'
      ? await forEachWindow((read, keep) =>
          pixelWork.call({ kind: 'base', photo: cutOut(photo, read), keep, scale }, signal),
        )
      : judged;
  for (const [index, { raster }] of repairs.entries()) {
    const { keep } = windows[index] as Tile;
    if (raster !== null) paste(result, raster, keep.left * scale, keep.top * scale);
  }
  return quality;
}
