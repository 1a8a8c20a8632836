/** What the quality gate looks at: photo and reduced result as brightness planes, cut into blocks. Pure. */
import { CHANNELS, type Raster, type Rect } from './pixels.ts';

/** Repeated edge pixels around a plane, so that a 5x5 kernel on a 3x3 mean needs no edge cases. */
export const PAD = 3;

/** The side of a block, in photo pixels. */
export const BLOCK = 8;

/** One value per photo pixel, 0..255; pixel (x, y) is at `(y + PAD) * stride + x + PAD`. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly data: Float32Array;
}

/**
 * The blocks of a window: the core's, and one ring of the margin's where the margin has room for it. The ring lets a
 * repair fade across the border between two windows; it counts in no figure.
 */
export interface BlockGrid {
  /** Edges in window pixels: block `i` of a row spans `xs[i]` to `xs[i + 1]`. */
  readonly xs: Int32Array;
  readonly ys: Int32Array;
  readonly columns: number;
  readonly rows: number;
  /** 1 for the blocks of the core, row by row. */
  readonly inCore: Uint8Array;
}

/** Cuts a window of the given size into blocks aligned with its core. */
export function gridOf(width: number, height: number, core: Rect): BlockGrid {
  const x = edgesOf(core.left, core.left + core.width, width);
  const y = edgesOf(core.top, core.top + core.height, height);
  const columns = x.edges.length - 1;
  const rows = y.edges.length - 1;
  const inCore = new Uint8Array(columns * rows);
  for (let row = y.first; row < y.first + y.count; row++) {
    inCore.fill(1, row * columns + x.first, row * columns + x.first + x.count);
  }
  return { xs: x.edges, ys: y.edges, columns, rows, inCore };
}

/** Block edges along one axis; the last block of the core takes what is left, 4 to 11 pixels. */
function edgesOf(
  start: number,
  end: number,
  size: number,
): { edges: Int32Array; first: number; count: number } {
  const count = Math.max(1, Math.round((end - start) / BLOCK));
  const edges = Array.from({ length: count }, (_, i) => start + i * BLOCK);
  edges.push(end);
  const before = start >= BLOCK;
  if (before) edges.unshift(start - BLOCK);
  if (size - end >= BLOCK) edges.push(end + BLOCK);
  return { edges: Int32Array.from(edges), first: before ? 1 : 0, count };
}

/** Brightness of the photo and of the result reduced to it, and how far their colours are apart. */
export interface ComparedPlanes {
  readonly photo: Plane;
  readonly reduced: Plane;
  /** Mean of reduced result minus photo per block: three numbers each, in 1/255. */
  readonly colourDifference: Float64Array;
}

/** Reads both pictures once: BT.601 brightness planes, and the colour differences of the blocks. */
export function comparePlanes(photo: Raster, result: Raster, scale: number, grid: BlockGrid): ComparedPlanes {
  if (scale % 2 !== 0) throw new RangeError(`the gate reads cells of an even size, not of ${scale}`);
  const { width, height } = photo;
  const before = createPlane(width, height);
  const after = createPlane(width, height);
  const colourDifference = new Float64Array(grid.columns * grid.rows * CHANNELS);
  const sums = new Int32Array(width * CHANNELS);
  const share = 1 / (scale * scale);
  let blockRow = 0;
  for (let y = 0; y < height; y++) {
    const photoRow = y * width * CHANNELS;
    sumCells(result, y * scale, scale, sums);
    const at = (y + PAD) * before.stride + PAD;
    storeBrightness(photo.data, photoRow, 1, before.data, at, width);
    storeBrightness(sums, 0, share, after.data, at, width);
    while (blockRow < grid.rows && y >= (grid.ys[blockRow + 1] as number)) blockRow++;
    if (blockRow < grid.rows && y >= (grid.ys[blockRow] as number)) {
      addDifferences(sums, share, photo.data, photoRow, grid, blockRow, colourDifference);
    }
  }
  for (let block = 0; block < grid.columns * grid.rows; block++) {
    const area = blockArea(grid, block);
    for (let c = block * CHANNELS; c < (block + 1) * CHANNELS; c++) {
      colourDifference[c] = (colourDifference[c] as number) / area;
    }
  }
  repeatEdges(before);
  repeatEdges(after);
  return { photo: before, reduced: after, colourDifference };
}

/** Adds up, channel by channel, the `scale` x `scale` pixels of the result over each photo pixel of a row. */
function sumCells({ width, data }: Raster, top: number, scale: number, sums: Int32Array): void {
  const rowBytes = width * CHANNELS;
  sums.fill(0);
  for (let row = top; row < top + scale; row += 2) {
    // Two rows and two columns at a time: a quarter of the passes over the sums.
    for (let column = 0; column < scale; column += 2) {
      let a = row * rowBytes + column * CHANNELS;
      let b = a + rowBytes;
      const step = scale * CHANNELS;
      for (let i = 0; i < sums.length; i += 3, a += step, b += step) {
        sums[i] =
          (sums[i] as number) +
          (data[a] as number) +
          (data[a + 3] as number) +
          (data[b] as number) +
          (data[b + 3] as number);
        sums[i + 1] =
          (sums[i + 1] as number) +
          (data[a + 1] as number) +
          (data[a + 4] as number) +
          (data[b + 1] as number) +
          (data[b + 4] as number);
        sums[i + 2] =
          (sums[i + 2] as number) +
          (data[a + 2] as number) +
          (data[a + 5] as number) +
          (data[b + 2] as number) +
          (data[b + 5] as number);
      }
    }
  }
}

/** A row of RGB as BT.601 brightness, times `gain`. */
function storeBrightness(
  row: Uint8Array | Int32Array,
  from: number,
  gain: number,
  plane: Float32Array,
  to: number,
  width: number,
): void {
  const red = 0.299 * gain;
  const green = 0.587 * gain;
  const blue = 0.114 * gain;
  for (let x = 0, i = from; x < width; x++, i += CHANNELS) {
    plane[to + x] = red * (row[i] as number) + green * (row[i + 1] as number) + blue * (row[i + 2] as number);
  }
}

/** Adds a row's differences between reduced result and photo to the blocks of a row of blocks. */
function addDifferences(
  sums: Int32Array,
  share: number,
  photo: Uint8Array,
  photoRow: number,
  grid: BlockGrid,
  blockRow: number,
  differences: Float64Array,
): void {
  for (let column = 0; column < grid.columns; column++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    let p = photoRow + (grid.xs[column] as number) * CHANNELS;
    const end = (grid.xs[column + 1] as number) * CHANNELS;
    for (let s = (grid.xs[column] as number) * CHANNELS; s < end; s += CHANNELS, p += CHANNELS) {
      red += share * (sums[s] as number) - (photo[p] as number);
      green += share * (sums[s + 1] as number) - (photo[p + 1] as number);
      blue += share * (sums[s + 2] as number) - (photo[p + 2] as number);
    }
    const block = (blockRow * grid.columns + column) * CHANNELS;
    differences[block] = (differences[block] as number) + red;
    differences[block + 1] = (differences[block + 1] as number) + green;
    differences[block + 2] = (differences[block + 2] as number) + blue;
  }
}

/** Pixels in a block. */
export function blockArea(grid: BlockGrid, block: number): number {
  const column = block % grid.columns;
  const row = (block - column) / grid.columns;
  const width = (grid.xs[column + 1] as number) - (grid.xs[column] as number);
  return width * ((grid.ys[row + 1] as number) - (grid.ys[row] as number));
}

function createPlane(width: number, height: number): Plane {
  const stride = width + 2 * PAD;
  return { width, height, stride, data: new Float32Array(stride * (height + 2 * PAD)) };
}

/** Fills the border of a plane with its outermost pixels. */
function repeatEdges({ width, height, stride, data }: Plane): void {
  for (let y = 0; y < height; y++) {
    const start = (y + PAD) * stride;
    data.fill(data[start + PAD] as number, start, start + PAD);
    data.fill(data[start + PAD + width - 1] as number, start + PAD + width, start + stride);
  }
  for (let y = 0; y < PAD; y++) {
    data.copyWithin(y * stride, PAD * stride, (PAD + 1) * stride);
    data.copyWithin((height + PAD + y) * stride, (height + PAD - 1) * stride, (height + PAD) * stride);
  }
}

/**
 * The 3x3 binomial mean. Both pictures are compared through it: it takes five eighths of white noise away and leaves
 * most of a stroke one pixel wide. The outermost border is not filled.
 */
export function smooth(plane: Plane): Plane {
  const { stride, data } = plane;
  const smoothed = createPlane(plane.width, plane.height);
  const rows = plane.height + 2 * PAD;
  for (let y = 1; y < rows - 1; y++) {
    let at = y * stride + 1;
    let left = columnAt(data, at - 1, stride);
    let middle = columnAt(data, at, stride);
    for (const end = (y + 1) * stride - 1; at < end; at++) {
      const right = columnAt(data, at + 1, stride);
      smoothed.data[at] = (left + 2 * middle + right) * 0.0625;
      left = middle;
      middle = right;
    }
  }
  return smoothed;
}

function columnAt(data: Float32Array, at: number, stride: number): number {
  return (data[at - stride] as number) + 2 * (data[at] as number) + (data[at + stride] as number);
}
