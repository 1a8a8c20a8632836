/** The blur that best turns the reduced result into the photo, and what it leaves unexplained. Pure. */
import { BLOCK, type BlockGrid, PAD, type Plane } from './gate-planes.ts';

const RADIUS = 2;
const SIDE = 2 * RADIUS + 1;
const TAPS = SIDE * SIDE;
const UNKNOWNS = TAPS + 1;

/** Samples wanted per window: 26 unknowns are well determined by some thousand, and more only cost time. */
const SAMPLES = 3000;

/**
 * Pull of the kernel towards "the photo is the reduced result", in squared grey levels. A window full of ink brings a
 * thousand times as much evidence; a window of a few pixels keeps the identity instead of explaining itself away.
 */
const RIDGE = 4000;

/** `photo ~ kernel * reduced + bias`: 25 weights row by row. */
export interface FittedKernel {
  readonly weights: Float64Array;
  readonly bias: number;
}

/**
 * Fits the kernel by least squares on a sample of pixels, most of them in blocks with ink: an empty board says nothing
 * about blur and would only outvote the strokes.
 *
 * @param ink 1 for blocks that bear ink, row by row
 */
export function fitKernel(reduced: Plane, photo: Plane, grid: BlockGrid, ink: Uint8Array): FittedKernel {
  const matrix = new Float64Array(UNKNOWNS * UNKNOWNS);
  const right = new Float64Array(UNKNOWNS);
  const row = new Float64Array(UNKNOWNS);
  // Around a middle grey level the bias hardly depends on the weights, which keeps the equations well conditioned.
  const middle = meanOf(photo);
  let inked = 0;
  for (const mark of ink) inked += mark;
  const blank = ink.length - inked;
  const perInked = Math.min(BLOCK * BLOCK, Math.ceil(SAMPLES / Math.max(1, inked)));
  const everyBlank = Math.ceil(blank / (SAMPLES / 6));
  for (let block = 0, blanks = 0; block < ink.length; block++) {
    const samples = ink[block] === 1 ? perInked : blanks++ % everyBlank === 0 ? 1 : 0;
    if (samples > 0) addSamples(reduced, photo, grid, block, samples, middle, matrix, right, row);
  }
  for (let tap = 0; tap < TAPS; tap++) {
    const at = tap * UNKNOWNS + tap;
    matrix[at] = (matrix[at] as number) + RIDGE;
  }
  const last = UNKNOWNS * UNKNOWNS - 1;
  matrix[last] = (matrix[last] as number) + 1;
  solve(matrix, right);
  const weights = right.slice(0, TAPS);
  let sum = 0;
  for (const weight of weights) sum += weight;
  // The equations were for the kernel's difference from the identity, and for levels around the middle one.
  const bias = (right[TAPS] as number) - middle * sum;
  const centre = (TAPS - 1) / 2;
  weights[centre] = (weights[centre] as number) + 1;
  return { weights, bias };
}

/** Adds the equations of evenly spread pixels of one block: kernel difference * reduced = photo - reduced. */
function addSamples(
  reduced: Plane,
  photo: Plane,
  grid: BlockGrid,
  block: number,
  samples: number,
  middle: number,
  matrix: Float64Array,
  right: Float64Array,
  row: Float64Array,
): void {
  const { stride, data } = reduced;
  const column = block % grid.columns;
  const gridRow = (block - column) / grid.columns;
  const left = grid.xs[column] as number;
  const top = grid.ys[gridRow] as number;
  const width = (grid.xs[column + 1] as number) - left;
  const area = width * ((grid.ys[gridRow + 1] as number) - top);
  // The start differs from block to block, or the samples would sit on a lattice of their own.
  let pixel = (block * 29) % area;
  const step = Math.max(1, area / samples);
  for (let sample = 0; sample < samples && sample < area; sample++, pixel += step) {
    const index = Math.floor(pixel) % area;
    const x = left + (index % width);
    const y = top + Math.floor(index / width);
    const at = (y + PAD) * stride + x + PAD;
    for (let dy = -RADIUS, tap = 0; dy <= RADIUS; dy++) {
      const from = at + dy * stride - RADIUS;
      for (let dx = 0; dx < SIDE; dx++, tap++) row[tap] = (data[from + dx] as number) - middle;
    }
    row[TAPS] = 1;
    const target = (photo.data[at] as number) - (data[at] as number);
    for (let i = 0; i < UNKNOWNS; i++) {
      const value = row[i] as number;
      right[i] = (right[i] as number) + value * target;
      for (let j = 0, m = i * UNKNOWNS; j <= i; j++, m++) {
        matrix[m] = (matrix[m] as number) + value * (row[j] as number);
      }
    }
  }
}

/** Solves a positive definite system by Cholesky, in place; only the lower triangle of `matrix` is read. */
function solve(matrix: Float64Array, right: Float64Array): void {
  const n = right.length;
  const at = (i: number, j: number): number => matrix[i * n + j] as number;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(i, j);
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k);
      matrix[i * n + j] = i === j ? Math.sqrt(sum) : sum / at(j, j);
    }
  }
  for (let i = 0; i < n; i++) {
    let sum = right[i] as number;
    for (let k = 0; k < i; k++) sum -= at(i, k) * (right[k] as number);
    right[i] = sum / at(i, i);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = right[i] as number;
    for (let k = i + 1; k < n; k++) sum -= at(k, i) * (right[k] as number);
    right[i] = sum / at(i, i);
  }
}

/** The mean of every fourth row: close enough for a level to count from. */
function meanOf({ width, height, stride, data }: Plane): number {
  let sum = 0;
  let count = 0;
  for (let y = 0; y < height; y += 4) {
    const start = (y + PAD) * stride + PAD;
    for (let at = start; at < start + width; at++) sum += data[at] as number;
    count += width;
  }
  return sum / count;
}

/** Sum of squares of `kernel * reduced + bias - photo` in each block, row by row. */
export function squaredResiduals(
  reduced: Plane,
  photo: Plane,
  grid: BlockGrid,
  { weights, bias }: FittedKernel,
): Float64Array {
  const sums = new Float64Array(grid.columns * grid.rows);
  const { stride, data } = reduced;
  const width = (grid.xs[grid.columns] as number) - (grid.xs[0] as number);
  const residual = new Float64Array(width);
  for (let blockRow = 0; blockRow < grid.rows; blockRow++) {
    for (let y = grid.ys[blockRow] as number; y < (grid.ys[blockRow + 1] as number); y++) {
      const start = (y + PAD) * stride + (grid.xs[0] as number) + PAD;
      for (let x = 0; x < width; x++) residual[x] = bias - (photo.data[start + x] as number);
      // Row by row of the kernel: five weights stay in registers.
      for (let dy = 0; dy < SIDE; dy++) {
        const w0 = weights[dy * SIDE] as number;
        const w1 = weights[dy * SIDE + 1] as number;
        const w2 = weights[dy * SIDE + 2] as number;
        const w3 = weights[dy * SIDE + 3] as number;
        const w4 = weights[dy * SIDE + 4] as number;
        let at = start + (dy - RADIUS) * stride - RADIUS;
        let a = data[at] as number;
        let b = data[at + 1] as number;
        let c = data[at + 2] as number;
        let d = data[at + 3] as number;
        at += 4;
        for (let x = 0; x < width; x++, at++) {
          const e = data[at] as number;
          residual[x] = (residual[x] as number) + w0 * a + w1 * b + w2 * c + w3 * d + w4 * e;
          a = b;
          b = c;
          c = d;
          d = e;
        }
      }
      for (let column = 0, x = 0; column < grid.columns; column++) {
        const end = (grid.xs[column + 1] as number) - (grid.xs[0] as number);
        let sum = 0;
        for (; x < end; x++) sum += (residual[x] as number) * (residual[x] as number);
        const block = blockRow * grid.columns + column;
        sums[block] = (sums[block] as number) + sum;
      }
    }
  }
  return sums;
}
