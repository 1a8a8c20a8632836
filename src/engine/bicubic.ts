/** Bicubic enlargement by a whole factor: the base that a network's correction is added to. Pure. */
import { CHANNELS, createRaster, type Planes, type Raster, type Rect } from './pixels.ts';

/** How one of the `scale` output phases is made: the first source pixel's offset and the four weights. */
interface Phase {
  readonly offset: number;
  readonly weights: readonly [number, number, number, number];
}

/**
 * Enlarges `keep` (a rectangle of `source`, in its pixels) by `scale`, adds a correction and rounds to 8 bits once.
 *
 * @param source pixels beyond its edges repeat the edge
 * @param correction at least `scale` times the whole source's size, what lies beyond is ignored; null adds nothing
 * @param shares how much of the correction is added at each pixel of the source, between them in proportion; null: all
 * @returns RGB of `scale` times the size of `keep`
 */
export function enlarge(
  source: Raster,
  scale: number,
  keep: Rect,
  correction: Planes | null,
  shares: Float32Array | null = null,
): Raster {
  const { width, height, data } = source;
  const phases = Array.from({ length: scale }, (_, phase) => phaseOf(phase, scale));
  const output = createRaster(keep.width * scale, keep.height * scale);
  // One source row after the vertical pass, with two repeated pixels on each side: the inner loops have no edges.
  const blended = new Float32Array((keep.width + 4) * CHANNELS);
  const sourceIndex = Int32Array.from(blended, (_, i) => {
    const column = keep.left + Math.floor(i / CHANNELS) - 2;
    return Math.min(width - 1, Math.max(0, column)) * CHANNELS + (i % CHANNELS);
  });
  const base = new Float32Array(output.width);
  const gains = new Float32Array(output.width).fill(1);
  const columns =
    shares === null
      ? []
      : Array.from({ length: output.width }, (_, x) => between(x, scale, keep.left, width));

  for (let outRow = 0; outRow < output.height; outRow++) {
    const vertical = phases[outRow % scale] as Phase;
    const firstRow = keep.top + Math.floor(outRow / scale) + vertical.offset;
    blendRows(data, width, height, firstRow, vertical.weights, sourceIndex, blended);
    if (shares !== null) fillGains(shares, width, between(outRow, scale, keep.top, height), columns, gains);
    for (let channel = 0; channel < CHANNELS; channel++) {
      for (let phase = 0; phase < scale; phase++) {
        fillPhase(blended, phases[phase] as Phase, channel, base, phase, scale);
      }
      if (correction !== null)
        addRow(correction, channel, keep.top * scale + outRow, keep.left * scale, gains, base);
      storeRow(base, output.data, outRow * output.width * CHANNELS + channel);
    }
  }
  return output;
}

/** The whole picture enlarged by `scale`, with nothing added: what a result is compared with and falls back to. */
export function enlargeBicubic(source: Raster, scale: number): Raster {
  return enlarge(source, scale, { left: 0, top: 0, width: source.width, height: source.height }, null);
}

/** Half-pixel centres: output pixel p sits at (p + 0.5) / scale - 0.5 in the source. */
function phaseOf(phase: number, scale: number): Phase {
  const position = (phase + 0.5) / scale - 0.5;
  const offset = Math.floor(position) - 1;
  const at = (tap: number): number => keysCubic(position - (offset + tap));
  return { offset, weights: [at(0), at(1), at(2), at(3)] };
}

/** Keys' cubic convolution with a = -0.5 (Keys 1981, "Cubic convolution interpolation"), at distance x. */
function keysCubic(x: number): number {
  const d = Math.abs(x);
  if (d <= 1) return (1.5 * d - 2.5) * d * d + 1;
  if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
  return 0;
}

/** The vertical pass of one output row: four source rows, repeated beyond the edges, weighted into `blended`. */
function blendRows(
  data: Uint8Array,
  width: number,
  height: number,
  firstRow: number,
  [v0, v1, v2, v3]: Phase['weights'],
  sourceIndex: Int32Array,
  blended: Float32Array,
): void {
  const startOf = (row: number): number => Math.min(height - 1, Math.max(0, row)) * width * CHANNELS;
  const r0 = startOf(firstRow);
  const r1 = startOf(firstRow + 1);
  const r2 = startOf(firstRow + 2);
  const r3 = startOf(firstRow + 3);
  for (let i = 0; i < blended.length; i++) {
    const k = sourceIndex[i] as number;
    blended[i] =
      v0 * (data[r0 + k] as number) +
      v1 * (data[r1 + k] as number) +
      v2 * (data[r2 + k] as number) +
      v3 * (data[r3 + k] as number);
  }
}

/** The horizontal pass of one phase of one channel: every `scale`-th value of `base` from index `first` on. */
function fillPhase(
  blended: Float32Array,
  { offset, weights: [h0, h1, h2, h3] }: Phase,
  channel: number,
  base: Float32Array,
  first: number,
  scale: number,
): void {
  // `blended` starts two pixels left of the kept rectangle.
  let from = (2 + offset) * CHANNELS + channel;
  for (let to = first; to < base.length; to += scale) {
    base[to] =
      h0 * (blended[from] as number) +
      h1 * (blended[from + 3] as number) +
      h2 * (blended[from + 6] as number) +
      h3 * (blended[from + 9] as number);
    from += CHANNELS;
  }
}

/** The two source pixels beside an output pixel, and how near the second one is. */
interface Between {
  readonly first: number;
  readonly second: number;
  readonly part: number;
}

/** @param start first source pixel that is kept; @param size number of source pixels */
function between(out: number, scale: number, start: number, size: number): Between {
  const position = Math.min(size - 1, Math.max(0, start + (out + 0.5) / scale - 0.5));
  const first = Math.floor(position);
  return { first, second: Math.min(size - 1, first + 1), part: position - first };
}

/** One output row of a map of the source, linear between its pixels. */
function fillGains(
  map: Float32Array,
  width: number,
  row: Between,
  columns: readonly Between[],
  gains: Float32Array,
): void {
  const [above, below] = [row.first * width, row.second * width];
  for (let x = 0; x < gains.length; x++) {
    const { first, second, part } = columns[x] as Between;
    const high = (map[above + first] as number) * (1 - part) + (map[above + second] as number) * part;
    const low = (map[below + first] as number) * (1 - part) + (map[below + second] as number) * part;
    gains[x] = high + (low - high) * row.part;
  }
}

/** Adds one row of a correction, times `gains`, to a row of one channel in 0…255. */
function addRow(
  { data, width, height, white }: Planes,
  channel: number,
  row: number,
  left: number,
  gains: Float32Array,
  base: Float32Array,
): void {
  const levels = 255 / white;
  const start = (channel * height + row) * width + left;
  for (let x = 0; x < base.length; x++) {
    base[x] = (base[x] as number) + levels * (gains[x] as number) * (data[start + x] as number);
  }
}

/** Rounds and clamps a row of one channel into interleaved RGB from index `to` on. */
function storeRow(base: Float32Array, output: Uint8Array, to: number): void {
  for (let x = 0; x < base.length; x++) {
    const value = (base[x] as number) + 0.5;
    output[to + x * CHANNELS] = value < 0 ? 0 : value > 255 ? 255 : value | 0;
  }
}
