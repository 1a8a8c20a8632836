/** How high the letters of a photo are: tells whether they can be saved, or the user should come closer. Pure. */
import { lumaOf, smooth } from './brightness.ts';
import { CHANNELS, type Raster } from './pixels.ts';

/** What was found of writing. */
export interface LetterHeight {
  /** Height of a small letter (x-height) in pixels of the picture: the typical one; null where no writing was found. */
  readonly typical: number | null;
  /** Of the smaller writing: the lower fifth. */
  readonly small: number | null;
}

/** Half a side of the window that the board around a pixel is taken from, in pixels. */
const BOARD_RADIUS = 12;
/** A stroke differs from its board by at least this much, in 1/255, and by this share of the local contrast. */
const LEAST_CONTRAST = 10;
const CONTRAST_SHARE = 0.9;
/** And by so many standard deviations of the noise. */
const NOISE_FACTOR = 5;
/** Smaller marks are noise, higher ones are drawings: pixels. */
const LEAST_HEIGHT = 3;
const MOST_HEIGHT = 90;
/** Fewer marks that look like letters are no writing. */
const LEAST_MARKS = 8;
/**
 * Marks are letters with and without ascenders, blurred by about a pixel, whole words where writing is joined. This
 * quantile of their heights, less the blur, is the steadiest, and this share of it nearest to the x-height (measured on
 * drawn boards, docs/algorithm.md).
 */
const QUANTILE = 0.4;
const SMALL_QUANTILE = 0.12;
const BLUR = 0.8;
const MARK_TO_LETTER = 0.77;
/** Rows looked at together: lines of writing cut by a border between bands are few. */
const BAND_ROWS = 256;
/** About so many pixels are looked at. */
const MOST_PIXELS = 500_000;
const LEAST_SIDE = 16;

/** A connected mark of ink. */
interface Mark {
  left: number;
  right: number;
  top: number;
  bottom: number;
  pixels: number;
}

/**
 * Estimates from connected marks of ink: pixels that stand out from the board around them, dark or light, whichever
 * gives more marks that stand in line with others of their size. Works through the picture in bands, so that its memory
 * does not grow with the picture.
 */
export function estimateLetterHeight(picture: Raster): LetterHeight {
  const found: { readonly dark: number[]; readonly light: number[] } = { dark: [], light: [] };
  const bands = Math.ceil(picture.height / BAND_ROWS);
  // Writing is alike all over a board: of a large photo every second or third band says enough.
  const every = Math.max(1, Math.round((picture.width * picture.height) / MOST_PIXELS));
  for (let band = Math.floor(((bands - 1) % every) / 2); band < bands; band += every) {
    const top = band * BAND_ROWS;
    const height = Math.min(BAND_ROWS, picture.height - top);
    if (height < LEAST_SIDE || picture.width < LEAST_SIDE) break;
    const { dark, light } = lettersOf(bandOf(picture, top, height));
    found.dark.push(...dark);
    found.light.push(...light);
  }
  // Noise gives many small marks of the wrong kind: the heights decide, not the number.
  const heights = sum(found.dark) >= sum(found.light) ? found.dark : found.light;
  if (heights.length < LEAST_MARKS) return { typical: null, small: null };
  heights.sort((a, b) => a - b);
  const at = (quantile: number): number => {
    const value = heights[Math.floor(quantile * (heights.length - 1))] as number;
    return Math.round(10 * MARK_TO_LETTER * Math.max(1, value - BLUR)) / 10;
  };
  return { typical: at(QUANTILE), small: at(SMALL_QUANTILE) };
}

function bandOf({ width, data }: Raster, top: number, height: number): Raster {
  const rowBytes = width * CHANNELS;
  return { width, height, data: data.subarray(top * rowBytes, (top + height) * rowBytes) };
}

/** Heights of dark and of light letters. */
function lettersOf(band: Raster): { dark: number[]; light: number[] } {
  const { width, height } = band;
  const luma = smooth(lumaOf(band), width, height);
  const board = { ...surroundings(luma, width, height), noise: noiseOf(luma, width) };
  const heights = (sign: number): number[] =>
    lettersAmong(findMarks(inkOf(luma, board, sign), width, height));
  return { dark: heights(1), light: heights(-1) };
}

/** Standard deviation of what is left of noise: from the median difference of neighbours, which strokes hardly move. */
function noiseOf(luma: Float32Array, width: number): number {
  const counts = new Uint32Array(1024);
  let all = 0;
  for (let at = 2 * width + 2; at < luma.length; at += 7) {
    const difference = Math.abs((luma[at] as number) - (luma[at - 2] as number));
    const bin = Math.min(1023, Math.round(8 * difference));
    counts[bin] = (counts[bin] as number) + 1;
    all++;
  }
  let [median, below] = [0, counts[0] as number];
  while (below < all / 2) below += counts[++median] as number;
  return median / 8 / 0.954;
}

/** Mean and standard deviation of the window around each pixel, by running sums. */
function surroundings(
  luma: Float32Array,
  width: number,
  height: number,
): { mean: Float32Array; deviation: Float32Array } {
  const squares = Float32Array.from(luma, (value) => value * value);
  const mean = boxMean(luma, width, height);
  const deviation = boxMean(squares, width, height);
  for (let pixel = 0; pixel < mean.length; pixel++) {
    const middle = mean[pixel] as number;
    deviation[pixel] = Math.sqrt(Math.max(0, (deviation[pixel] as number) - middle * middle));
  }
  return { mean, deviation };
}

/** The mean of a square window that slides along the rows, smaller at the edges: sums of columns first, then of rows. */
function boxMean(values: Float32Array, width: number, height: number): Float32Array {
  const result = new Float32Array(values.length);
  const columns = new Float64Array(width);
  const add = (row: number, sign: number): void => {
    for (let x = 0, at = row * width; x < width; x++, at++) {
      columns[x] = (columns[x] as number) + sign * (values[at] as number);
    }
  };
  for (let row = 0; row < Math.min(BOARD_RADIUS, height); row++) add(row, 1);
  for (let y = 0; y < height; y++) {
    if (y + BOARD_RADIUS < height) add(y + BOARD_RADIUS, 1);
    if (y > BOARD_RADIUS) add(y - BOARD_RADIUS - 1, -1);
    const rows = Math.min(height - 1, y + BOARD_RADIUS) - Math.max(0, y - BOARD_RADIUS) + 1;
    let [sum, first, last] = [0, 0, 0];
    for (let x = 0; x < width; x++) {
      while (last < width && last <= x + BOARD_RADIUS) sum += columns[last++] as number;
      if (x > BOARD_RADIUS) sum -= columns[first++] as number;
      result[y * width + x] = sum / ((last - first) * rows);
    }
  }
  return result;
}

/** 1 where a pixel is darker (`sign` 1) or lighter (−1) than its board by more than noise. */
function inkOf(
  luma: Float32Array,
  { mean, deviation, noise }: { mean: Float32Array; deviation: Float32Array; noise: number },
  sign: number,
): Uint8Array {
  const least = Math.max(LEAST_CONTRAST, NOISE_FACTOR * noise);
  const ink = new Uint8Array(luma.length);
  for (let pixel = 0; pixel < ink.length; pixel++) {
    const difference = sign * ((mean[pixel] as number) - (luma[pixel] as number));
    if (difference > Math.max(least, CONTRAST_SHARE * (deviation[pixel] as number))) ink[pixel] = 1;
  }
  return ink;
}

/** Connected marks, neighbours of eight. Clears `ink` on the way. */
function findMarks(ink: Uint8Array, width: number, height: number): Mark[] {
  const marks: Mark[] = [];
  const stack: number[] = [];
  for (let start = 0; start < ink.length; start++) {
    if (ink[start] === 0) continue;
    const mark = { left: width, right: 0, top: height, bottom: 0, pixels: 0 };
    ink[start] = 0;
    stack.push(start);
    for (let pixel = stack.pop(); pixel !== undefined; pixel = stack.pop()) {
      const x = pixel % width;
      const y = (pixel - x) / width;
      mark.left = Math.min(mark.left, x);
      mark.right = Math.max(mark.right, x);
      mark.top = Math.min(mark.top, y);
      mark.bottom = Math.max(mark.bottom, y);
      mark.pixels++;
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const next = row * width + column;
          if (ink[next] === 0) continue;
          ink[next] = 0;
          stack.push(next);
        }
      }
    }
    marks.push(mark);
  }
  return marks;
}

/** Heights of the marks that look like letters: of modest size, and beside another of about their height. */
function lettersAmong(marks: readonly Mark[]): number[] {
  const candidates = marks
    .filter((mark) => {
      const high = heightOf(mark);
      const wide = mark.right - mark.left + 1;
      const fill = mark.pixels / (high * wide);
      return (
        high >= LEAST_HEIGHT && high <= MOST_HEIGHT && wide <= 12 * high && wide >= 0.15 * high && fill < 0.9
      );
    })
    .sort((a, b) => a.left - b.left);
  return candidates.filter((mark, index) => hasNeighbour(candidates, mark, index)).map(heightOf);
}

function hasNeighbour(sorted: readonly Mark[], mark: Mark, index: number): boolean {
  const high = heightOf(mark);
  const isBeside = (other: Mark): boolean => {
    const otherHigh = heightOf(other);
    const overlap = Math.min(mark.bottom, other.bottom) - Math.max(mark.top, other.top) + 1;
    const gap = Math.max(mark.left, other.left) - Math.min(mark.right, other.right);
    return (
      overlap > 0.4 * Math.min(high, otherHigh) &&
      gap < 1.5 * high &&
      otherHigh < 2.2 * high &&
      high < 2.2 * otherHigh
    );
  };
  for (let at = index + 1; at < sorted.length; at++) {
    const other = sorted[at] as Mark;
    if (other.left > mark.right + 1.5 * high) break;
    if (isBeside(other)) return true;
  }
  // To the left marks may be long: words of joined writing.
  for (let at = index - 1; at >= 0 && index - at < 60; at--) if (isBeside(sorted[at] as Mark)) return true;
  return false;
}

function heightOf({ top, bottom }: Mark): number {
  return bottom - top + 1;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
