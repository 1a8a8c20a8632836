/** Cuts a line out for the plain and for the patient reader, as `training/reader.py` does. Pure. */
import type { Luma } from './picture-scores.ts';
import { resize } from './resample.ts';
import type { TruthLine } from './truth-folder.ts';

/** The x-height in pixels that the patient reader brings every line to. */
const LETTER = 24;

/** The line's box as it is, with a margin; `larger` times its size. */
export function plainCrop(luma: Luma, { box }: TruthLine, larger: number): Luma {
  const [left, top, right, bottom] = box;
  const margin = Math.max(4, Math.floor((bottom - top) / 5));
  const crop = cut(luma, left - margin, top - margin, right + margin, bottom + margin);
  return larger === 1 ? crop : resize(crop, larger);
}

/** The line evened out, dark on light, at full contrast and in one letter size, or `larger` times that. */
export function patientCrop(luma: Luma, { box, xHeight }: TruthLine, scale: number, larger: number): Luma {
  const [left, top, right, bottom] = box;
  const height = xHeight * scale;
  const wide = Math.trunc(4 * height);
  const area = cut(luma, left - wide, top - wide, right + wide, bottom + wide);
  const window = Math.min(255, Math.trunc(2.5 * height) * 2 + 1);
  const ground = boxMean(median(area, (window - 1) / 2), Math.trunc(2 * height));
  const even = { ...area, data: area.data.map((value, i) => value - (ground.data[i] ?? 0)) };
  const [up, side] = [Math.min(top, wide), Math.min(left, wide)];
  const margin = Math.max(3, Math.trunc(0.5 * height));
  const line = cut(
    even,
    side - margin,
    up - margin,
    side + right - left + margin,
    up + bottom - top + margin,
  );
  return withBorder(resize(contrasted(line), (larger * LETTER) / height), 16, 12);
}

/** Dark on light: the darkest hundredth is black, the ground white. */
function contrasted(line: Luma): Luma {
  const sorted = line.data.slice().sort();
  let [low, high] = [quantile(sorted, 0.01), quantile(sorted, 0.99)];
  const sign = high + low > 0 ? -1 : 1;
  if (sign < 0) [low, high] = [-high, -low];
  const range = Math.max(1, Math.min(0, high) - low);
  return { ...line, data: line.data.map((value) => clamp((sign * value - low) / range, 1) * 255) };
}

/** Between the two nearest samples, as NumPy's. */
function quantile(sorted: Float32Array, share: number): number {
  const place = share * (sorted.length - 1);
  const at = Math.floor(place);
  const [low, high] = [sorted[at] ?? 0, sorted[Math.min(sorted.length - 1, at + 1)] ?? 0];
  return low + (high - low) * (place - at);
}

/** The part that lies inside. */
function cut({ width, height, data }: Luma, left: number, top: number, right: number, bottom: number): Luma {
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  const [w, h] = [Math.min(width, right) - x, Math.min(height, bottom) - y];
  const part = new Float32Array(w * h);
  for (let row = 0; row < h; row++) {
    const from = (y + row) * width + x;
    part.set(data.subarray(from, from + w), row * w);
  }
  return { width: w, height: h, data: part };
}

/** Median of whole levels 0…255 with repeated edges, by a histogram that slides along the row. */
function median({ width, height, data }: Luma, radius: number): Luma {
  const levels = Uint8Array.from(data, (value) => Math.trunc(clamp(value, 255)));
  const output = new Float32Array(data.length);
  const half = ((2 * radius + 1) ** 2 + 1) / 2;
  for (let y = 0; y < height; y++) {
    const histogram = new Int32Array(256);
    const change = (column: number, by: number): void => {
      const x = Math.min(width - 1, Math.max(0, column));
      for (let dy = -radius; dy <= radius; dy++) {
        const level = levels[Math.min(height - 1, Math.max(0, y + dy)) * width + x] ?? 0;
        histogram[level] = (histogram[level] ?? 0) + by;
      }
    };
    for (let column = -radius; column <= radius; column++) change(column, 1);
    for (let x = 0; x < width; x++) {
      let [level, seen] = [0, histogram[0] ?? 0];
      while (seen < half) seen += histogram[++level] ?? 0;
      output[y * width + x] = level;
      change(x - radius, -1);
      change(x + radius + 1, 1);
    }
  }
  return { width, height, data: output };
}

/** Mean over a square, edges mirrored without repeating the last pixel. */
function boxMean({ width, height, data }: Luma, radius: number): Luma {
  const pass = (
    from: Float32Array,
    count: number,
    length: number,
    step: number,
    next: number,
  ): Float32Array => {
    const to = new Float32Array(from.length);
    for (let row = 0; row < count; row++) {
      const at = (i: number): number => from[row * next + mirrored(i, length) * step] ?? 0;
      let sum = 0;
      for (let i = -radius; i <= radius; i++) sum += at(i);
      for (let i = 0; i < length; i++) {
        to[row * next + i * step] = sum / (2 * radius + 1);
        sum += at(i + radius + 1) - at(i - radius);
      }
    }
    return to;
  };
  return { width, height, data: pass(pass(data, height, width, 1, width), width, height, width, 1) };
}

function mirrored(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const place = ((i % period) + period) % period;
  return place < length ? place : period - place;
}

function withBorder({ width, height, data }: Luma, side: number, end: number): Luma {
  const [w, h] = [width + 2 * side, height + 2 * end];
  const framed = new Float32Array(w * h).fill(255);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width).map((value) => clamp(value, 255));
    framed.set(row, (y + end) * w + side);
  }
  return { width: w, height: h, data: framed };
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
