/** Where a network's correction counts less: at writing that is small, and not on bare board. Pure. */
import { lumaOf, smooth } from './brightness.ts';
import { CHANNELS, type Raster } from './pixels.ts';

/** How much of a correction is kept, by the typical letter height of the photo in its pixels. */
export interface Damping {
  /** The share that is kept up to `smallPixels`; from `largePixels` on it is all, between them in proportion. */
  readonly share: number;
  readonly smallPixels: number;
  readonly largePixels: number;
}

/**
 * How much of a correction is kept. Fewer words of small letters change where bicubic, which holds what the camera
 * saw, is still in the picture; bare board has nothing to read, and loses its noise (docs/results.md).
 */
export interface Kept {
  /** At writing, 0…1; on bare board all of it is. */
  readonly share: number;
  /** The photo's `grainOf`. */
  readonly grain: number;
}

/** Writing is where brightness varies, within this many pixels to each side, by more than the grain. */
const RADIUS = 2;
/** So many times the grain are nothing, and this many times are writing for certain. */
const BARE = 1.6;
const WRITING = 3.2;
/** Boards are bare for the most part. */
const BARE_QUANTILE = 0.3;
/** A crop of writing may have no bare board at all; and grain is a small part of what strokes differ from it. */
const WRITING_QUANTILE = 0.95;
const MOST_GRAIN = 0.1;
/** Grain below a grey level is none: an encoder takes it away. */
const LEAST_GRAIN = 1;
const BINS_A_LEVEL = 8;
/** About so many pixels are looked at, in bands of so many rows. */
const MOST_PIXELS = 300_000;
const BAND_ROWS = 32;

/** The share that is kept at writing for a photo whose letters are `letterHeight` pixels high: none found may be small. */
export function keptShare(damping: Damping | undefined, letterHeight: number | null): number {
  if (damping === undefined) return 1;
  const { share, smallPixels, largePixels } = damping;
  const part = ((letterHeight ?? 0) - smallPixels) / (largePixels - smallPixels);
  return share + (1 - share) * Math.min(1, Math.max(0, part));
}

/** How much the brightness of bare board varies from pixel to pixel, in 1/255; of a large photo some bands are looked at. */
export function grainOf({ width, height, data }: Raster): number {
  const counts = new Uint32Array(256 * BINS_A_LEVEL);
  let all = 0;
  const every = Math.max(1, Math.round((width * height) / MOST_PIXELS));
  for (let top = 0; top < height; top += BAND_ROWS * every) {
    const rows = Math.min(BAND_ROWS, height - top);
    const band = data.subarray(top * width * CHANNELS, (top + rows) * width * CHANNELS);
    const ranges = rangesOf({ width, height: rows, data: band });
    for (const range of ranges) {
      const bin = Math.round(BINS_A_LEVEL * range);
      counts[bin] = (counts[bin] as number) + 1;
    }
    all += ranges.length;
  }
  const at = (quantile: number): number => {
    let bin = 0;
    for (let seen = counts[0] as number; seen < quantile * all; ) seen += counts[++bin] as number;
    return bin / BINS_A_LEVEL;
  };
  return Math.max(LEAST_GRAIN, Math.min(at(BARE_QUANTILE), MOST_GRAIN * at(WRITING_QUANTILE)));
}

/**
 * The share of the correction that each pixel of a photo, or of a part of it, keeps: one number a pixel, row by row.
 * A pixel's share depends on no pixel more than 7 away.
 */
export function keptMap(photo: Raster, { share, grain }: Kept): Float32Array {
  const { width, height } = photo;
  const writing = rangesOf(photo);
  for (let pixel = 0; pixel < writing.length; pixel++) {
    const certainty = ((writing[pixel] as number) / grain - BARE) / (WRITING - BARE);
    writing[pixel] = Math.min(1, Math.max(0, certainty));
  }
  // What is beside writing belongs to it, and no edge of the map may show.
  const near = largest(writing, width, height);
  return smooth(smooth(near, width, height), width, height).map((certainty) => 1 - (1 - share) * certainty);
}

/** Largest less smallest brightness within `RADIUS` of each pixel, noise of single pixels apart. */
function rangesOf(photo: Raster): Float32Array {
  const { width, height } = photo;
  const light = smooth(lumaOf(photo), width, height);
  const dark = light.map((value) => -value);
  const ranges = largest(light, width, height);
  for (const [pixel, value] of largest(dark, width, height).entries()) {
    ranges[pixel] = (ranges[pixel] as number) + value;
  }
  return ranges;
}

/** The largest value of the square of `RADIUS` around each pixel: along the rows, then the columns. */
function largest(values: Float32Array, width: number, height: number): Float32Array {
  const across = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      let best = values[row + x] as number;
      const last = Math.min(width - 1, x + RADIUS);
      for (let near = Math.max(0, x - RADIUS); near <= last; near++) {
        const value = values[row + near] as number;
        if (value > best) best = value;
      }
      across[row + x] = best;
    }
  }
  const result = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    const first = Math.max(0, y - RADIUS);
    const last = Math.min(height - 1, y + RADIUS);
    for (let x = 0; x < width; x++) {
      let best = across[first * width + x] as number;
      for (let near = first + 1; near <= last; near++) {
        const value = across[near * width + x] as number;
        if (value > best) best = value;
      }
      result[y * width + x] = best;
    }
  }
  return result;
}
