/** Measures, block by block, how well a result reduced to the photo's size agrees with the photo. Pure. */
import { fitKernel, squaredResiduals } from './fitted-kernel.ts';
import { type BlockGrid, blockArea, comparePlanes, gridOf, PAD, type Plane, smooth } from './gate-planes.ts';
import { noiseOf } from './photo-noise.ts';
import { CHANNELS, type Raster, type Rect } from './pixels.ts';

/** A part of the photo, what the network made of it, and the part of it to judge. */
export interface JudgedWindow {
  /** The core and a margin of 10 photo pixels (2 at least), which is missing at the picture's borders. */
  readonly photo: Raster;
  /** `scale` times the size of `photo`. */
  readonly result: Raster;
  readonly scale: number;
  /** The part to judge, in pixels of `photo`. */
  readonly core: Rect;
}

/** What was measured in the blocks of a window; the arrays go row by row over the grid. */
export interface Consistency {
  readonly grid: BlockGrid;
  /** RMS of what the fitted kernel leaves unexplained, in 1/255. */
  readonly disagreement: Float64Array;
  /** Standard deviation of the photo around the block (the largest of 3x3 blocks), in 1/255. */
  readonly contrast: Float64Array;
  /** 1 for blocks that bear ink. */
  readonly ink: Uint8Array;
  /** Mean of reduced result minus photo: three channels each, in 1/255. */
  readonly colourDifference: Float64Array;
  /** The same after a low pass of about 16 photo pixels. */
  readonly tint: Float64Array;
  /** Standard deviation of the noise that is left in the smoothed photo, in 1/255. */
  readonly noise: number;
  readonly photo: Plane;
  readonly reduced: Plane;
}

/** A block whose smoothed photo varies by more than this (in 1/255) and twice its noise bears ink. */
const INK_DEVIATION = 3;

/** A block stands out with this multiple of the median disagreement of blocks with ink, and this much (1/255) more. */
const OUTSTANDING = 3;
const OUTSTANDING_LEVEL = 3;

/** Measures a window; judging is left to the caller. */
export function measureConsistency({ photo, result, scale, core }: JudgedWindow): Consistency {
  const grid = gridOf(photo.width, photo.height, core);
  const planes = comparePlanes(photo, result, scale, grid);
  const before = smooth(planes.photo);
  const noise = noiseOf(before);
  const after = smooth(planes.reduced);
  const deviation = deviations(before, grid);
  const ink = Uint8Array.from(deviation, (value) => (value > INK_DEVIATION + 2 * noise ? 1 : 0));
  const disagreement = disagreements(after, before, grid, ink);
  const contrast = largestAround(deviation, grid);
  const { colourDifference } = planes;
  const tint = lowPass(colourDifference, grid);
  return { grid, disagreement, contrast, ink, colourDifference, tint, noise, photo: before, reduced: after };
}

/**
 * RMS of the unexplained in each block. A wrong letter pulls at the fit, most of all in a small window, until blocks far
 * away disagree too: when some blocks stand out, the kernel is fitted again without them.
 */
function disagreements(reduced: Plane, photo: Plane, grid: BlockGrid, ink: Uint8Array): Float64Array {
  const rmsOf = (which: Uint8Array): Float64Array =>
    squaredResiduals(reduced, photo, grid, fitKernel(reduced, photo, grid, which)).map((sum, block) =>
      Math.sqrt(sum / blockArea(grid, block)),
    );
  const first = rmsOf(ink);
  const inked = first.filter((_, block) => ink[block] === 1).sort();
  if (inked.length === 0) return first;
  const outstanding = OUTSTANDING * (inked[inked.length >> 1] as number) + OUTSTANDING_LEVEL;
  const trusted = ink.map((mark, block) => ((first[block] as number) > outstanding ? 0 : mark));
  return trusted.every((mark, block) => mark === ink[block]) ? first : rmsOf(trusted);
}

/** Standard deviation of a plane in each block. */
function deviations({ stride, data }: Plane, grid: BlockGrid): Float64Array {
  const deviation = new Float64Array(grid.columns * grid.rows);
  for (let block = 0; block < deviation.length; block++) {
    const column = block % grid.columns;
    const row = (block - column) / grid.columns;
    const left = grid.xs[column] as number;
    const width = (grid.xs[column + 1] as number) - left;
    const bottom = grid.ys[row + 1] as number;
    let sum = 0;
    let squares = 0;
    for (let y = grid.ys[row] as number; y < bottom; y++) {
      let at = (y + PAD) * stride + left + PAD;
      for (const end = at + width; at < end; at++) {
        const value = data[at] as number;
        sum += value;
        squares += value * value;
      }
    }
    const area = blockArea(grid, block);
    deviation[block] = Math.sqrt(Math.max(0, squares / area - (sum / area) ** 2));
  }
  return deviation;
}

/** For each block the largest value among it and its neighbours. */
function largestAround(values: Float64Array, { columns, rows }: BlockGrid): Float64Array {
  const largest = new Float64Array(values.length);
  for (let row = 0, block = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, block++) {
      let most = 0;
      for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
          most = Math.max(most, values[y * columns + x] as number);
        }
      }
      largest[block] = most;
    }
  }
  return largest;
}

/** Weighted 1-2-1 in both directions over the blocks, less at the edges. */
function lowPass(values: Float64Array, { columns, rows }: BlockGrid): Float64Array {
  const passed = new Float64Array(values.length);
  for (let row = 0, block = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, block++) {
      let weights = 0;
      const at = block * CHANNELS;
      for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
          const weight = (y === row ? 2 : 1) * (x === column ? 2 : 1);
          const from = (y * columns + x) * CHANNELS;
          weights += weight;
          for (let c = 0; c < CHANNELS; c++) {
            passed[at + c] = (passed[at + c] as number) + weight * (values[from + c] as number);
          }
        }
      }
      for (let c = 0; c < CHANNELS; c++) passed[at + c] = (passed[at + c] as number) / weights;
    }
  }
  return passed;
}
