/** Plans tiles: what the network reads and what is kept of each. Pure. */
import { expandWithin, type Rect } from './pixels.ts';

/** One piece of a photo, in photo pixels. Every pixel of the photo is kept by exactly one tile. */
export interface Tile {
  /** What the network is given: `keep` and a halo around it, cut off at the photo's edges. */
  readonly read: Rect;
  /** What is kept of its output. */
  readonly keep: Rect;
}

export interface TileRules {
  /** Photo pixels read around the kept part; at least the network's receptive-field radius makes tiling exact. */
  readonly halo: number;
  /** Reading starts at a whole multiple of this, so that a strided network sees every tile in the same phase. */
  readonly multiple: number;
  /** Most pixels a tile may read: what bounds the memory of one run. */
  readonly tilePixels: number;
}

/** The tiles of a photo in reading order: of all regular grids within `tilePixels`, the one that reads least. */
export function planTiles(width: number, height: number, rules: TileRules): Tile[] {
  const xs = axisChoices(width, rules);
  const ys = axisChoices(height, rules);
  let best: { columns: Span[]; rows: Span[]; total: number } | undefined;
  for (const x of xs) {
    for (const y of ys) {
      if (x.widest * y.widest > rules.tilePixels) continue;
      const total = x.total * y.total;
      if (best === undefined || total < best.total) best = { columns: x.spans, rows: y.spans, total };
    }
  }
  // A limit below what the halo needs leaves only the finest grid.
  const { columns, rows } = best ?? { columns: xs.at(-1)?.spans ?? [], rows: ys.at(-1)?.spans ?? [] };
  return rows.flatMap((row) =>
    columns.map((column) => {
      const keep = { left: column.start, top: row.start, width: column.length, height: row.length };
      return { keep, read: expandWithin(keep, rules.halo, width, height) };
    }),
  );
}

interface Span {
  readonly start: number;
  readonly length: number;
}

/** Kept parts shorter than this would mostly compute halo. */
const SHORTEST_KEEP = 32;

/** Every sensible way to cut one axis: its spans, the longest read and the sum of all reads. */
function axisChoices(
  length: number,
  { halo, multiple }: TileRules,
): { spans: Span[]; widest: number; total: number }[] {
  const choices = [];
  let lastKeep = Number.POSITIVE_INFINITY;
  for (let count = 1; count <= Math.max(1, Math.ceil(length / SHORTEST_KEEP)); count++) {
    const keep = Math.ceil(length / count / multiple) * multiple;
    if (keep === lastKeep) continue;
    lastKeep = keep;
    const spans: Span[] = [];
    let widest = 0;
    let total = 0;
    for (let start = 0; start < length; start += keep) {
      const end = Math.min(length, start + keep);
      const read = Math.min(length, end + halo) - Math.max(0, start - halo);
      spans.push({ start, length: end - start });
      widest = Math.max(widest, read);
      total += read;
    }
    choices.push({ spans, widest, total });
  }
  return choices;
}
