/** PSNR and SSIM on brightness (BT.601), with the conventions of `training/score.py`. Pure. */
import { CHANNELS, type Raster } from '../engine/pixels.ts';
import type { TruthLine } from './truth-folder.ts';

/** Brightness 0…255, row by row. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export interface PictureScores {
  /** dB; the outer `scale` pixels are left off. */
  readonly psnr: number;
  /** Gaussian window 11×11, σ 1.5; the outer `scale` pixels are left off. */
  readonly ssim: number;
  /** dB on the boxes of the lines, two pixels wider; null without lines. */
  readonly textPsnr: number | null;
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
  const text = new Uint8Array(width * height);
  for (const { box } of lines) {
    const [left, top, right, bottom] = box;
    for (let y = Math.max(0, top - 2); y < Math.min(height, bottom + 2); y++) {
      text.fill(1, y * width + Math.max(0, left - 2), y * width + Math.min(width, right + 2));
    }
  }
  const inner = { sum: 0, pixels: 0 };
  const written = { sum: 0, pixels: 0 };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const error = ((result.data[i] ?? 0) - (truth.data[i] ?? 0)) ** 2;
      if (text[i] === 1) add(written, error);
      if (x >= scale && y >= scale && x < width - scale && y < height - scale) add(inner, error);
    }
  }
  return {
    psnr: decibel(inner),
    ssim: ssim(crop(result, scale), crop(truth, scale)),
    textPsnr: written.pixels === 0 ? null : decibel(written),
  };
}

function add(error: { sum: number; pixels: number }, value: number): void {
  error.sum += value;
  error.pixels++;
}

function decibel({ sum, pixels }: { sum: number; pixels: number }): number {
  return 10 * Math.log10(255 ** 2 / Math.max(sum / pixels, 1e-4));
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

/** Mean over the pixels whose whole window lies inside. Each side must be 11 or more. */
function ssim(one: Luma, two: Luma): number {
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
  let sum = 0;
  for (let i = 0; i < ma.length; i++) {
    const [x, y] = [ma[i] ?? 0, mb[i] ?? 0];
    const covariance = (ab[i] ?? 0) - x * y;
    const variances = (aa[i] ?? 0) - x * x + (bb[i] ?? 0) - y * y;
    sum += ((2 * x * y + c1) * (2 * covariance + c2)) / ((x * x + y * y + c1) * (variances + c2));
  }
  return sum / ma.length;
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
