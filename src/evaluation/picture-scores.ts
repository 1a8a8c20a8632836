/** PSNR and SSIM on brightness (BT.601), with the conventions of `training/score.py`. Pure. */
import { CHANNELS, type Raster } from '../engine/pixels.ts';
import type { TruthLine } from './truth-folder.ts';

/** Brightness 0…255, row by row. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Scores on one line's box, two pixels wider; null where the picture's edge leaves nothing to compare. */
export interface LineScores {
  readonly psnr: number;
  readonly ssim: number | null;
}

export interface PictureScores {
  /** dB; the outer `scale` pixels are left off. */
  readonly psnr: number;
  /** Gaussian window 11×11, σ 1.5; the outer `scale` pixels are left off. */
  readonly ssim: number;
  /** The same on the boxes of all lines, each pixel once; null without lines. */
  readonly textPsnr: number | null;
  readonly textSsim: number | null;
  readonly lines: readonly LineScores[];
}

const RADIUS = 5;
const SIGMA = 1.5;

export function lumaOf({ width, height, data }: Raster): Luma {
  const luma = new Float32Array(width * height);
  for (let i = 0, at = 0; i < luma.length; i++, at += CHANNELS) {
    luma[i] = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
  }
  return { width, height, data: luma };
}

/** Compares two pictures of one size. */
export function comparePictures(
  result: Luma,
  truth: Luma,
  lines: readonly TruthLine[],
  scale: number,
): PictureScores {
  const { width, height } = truth;
  const all = { left: 0, top: 0, right: width, bottom: height };
  const boxes = lines.map(
    ({ box: [left, top, right, bottom] }): Box => ({
      ...{ left: Math.max(0, left - 2), top: Math.max(0, top - 2) },
      ...{ right: Math.min(width, right + 2), bottom: Math.min(height, bottom + 2) },
    }),
  );
  const text = new Uint8Array(width * height);
  for (const { left, top, right, bottom } of boxes)
    for (let y = top; y < bottom; y++) text.fill(1, y * width + left, y * width + right);
  const errors = { ...truth, data: truth.data.map((wanted, i) => ((result.data[i] ?? 0) - wanted) ** 2) };
  const likeness = ssimMap(result, truth, scale);
  const inner = { left: scale, top: scale, right: width - scale, bottom: height - scale };
  const textErrors = average(errors, all, text);
  return {
    psnr: decibel(average(errors, inner) ?? 0),
    ssim: average(likeness, all) ?? Number.NaN,
    textPsnr: textErrors === null ? null : decibel(textErrors),
    textSsim: average(likeness, all, text),
    lines: boxes.map((box) => ({
      psnr: decibel(average(errors, box) ?? 0),
      ssim: average(likeness, box),
    })),
  };
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The mean within a box, of the pixels of a mask and those that are a number; null without any. */
function average({ width, data }: Luma, box: Box, mask?: Uint8Array): number | null {
  let sum = 0;
  let pixels = 0;
  for (let y = box.top; y < box.bottom; y++) {
    for (let i = y * width + box.left, end = y * width + box.right; i < end; i++) {
      const value = data[i] as number;
      if ((mask !== undefined && mask[i] === 0) || Number.isNaN(value)) continue;
      sum += value;
      pixels++;
    }
  }
  return pixels === 0 ? null : sum / pixels;
}

function decibel(meanSquare: number): number {
  return 10 * Math.log10(255 ** 2 / Math.max(meanSquare, 1e-4));
}

function crop({ width, height, data }: Luma, border: number): Luma {
  const [w, h] = [width - 2 * border, height - 2 * border];
  const part = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    const from = (y + border) * width + border;
    part.set(data.subarray(from, from + w), y * w);
  }
  return { width: w, height: h, data: part };
}

/** SSIM of every pixel whose whole window lies inside the picture without its border; elsewhere not a number. */
function ssimMap(result: Luma, truth: Luma, border: number): Luma {
  const [one, two] = [crop(result, border), crop(truth, border)];
  const mean = (value: (i: number) => number): Float64Array =>
    blur(
      Float64Array.from(one.data, (_, i) => value(i)),
      one.width,
      one.height,
    );
  const [a, b] = [(i: number) => one.data[i] ?? 0, (i: number) => two.data[i] ?? 0];
  const [ma, mb] = [mean(a), mean(b)];
  const [aa, bb, ab] = [mean((i) => a(i) ** 2), mean((i) => b(i) ** 2), mean((i) => a(i) * b(i))];
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
  const data = new Float32Array(truth.data.length).fill(Number.NaN);
  const margin = border + RADIUS;
  const columns = one.width - 2 * RADIUS;
  for (let i = 0; i < ma.length; i++) {
    const [x, y] = [ma[i] ?? 0, mb[i] ?? 0];
    const covariance = (ab[i] ?? 0) - x * y;
    const variances = (aa[i] ?? 0) - x * x + (bb[i] ?? 0) - y * y;
    const at = (Math.floor(i / columns) + margin) * truth.width + (i % columns) + margin;
    data[at] = ((2 * x * y + c1) * (2 * covariance + c2)) / ((x * x + y * y + c1) * (variances + c2));
  }
  return { width: truth.width, height: truth.height, data };
}

/** Gaussian mean where the window fits. */
function blur(data: Float64Array, width: number, height: number): Float64Array {
  const weights = Array.from({ length: 2 * RADIUS + 1 }, (_, i) =>
    Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [w, h] = [width - 2 * RADIUS, height - 2 * RADIUS];
  const rows = new Float64Array(w * height);
  const output = new Float64Array(w * h);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (let k = 0; k <= 2 * RADIUS; k++) sum += (weights[k] ?? 0) * (data[y * width + x + k] ?? 0);
      rows[y * w + x] = sum / total;
    }
  }
  for (let i = 0; i < output.length; i++) {
    let sum = 0;
    for (let k = 0; k <= 2 * RADIUS; k++) sum += (weights[k] ?? 0) * (rows[i + k * w] ?? 0);
    output[i] = sum / total;
  }
  return output;
}
