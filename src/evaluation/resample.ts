/** Enlarges and reduces planes of floats by a kernel or by area, edges repeated. Pure. */
import { CHANNELS, createRaster, type Raster } from '../engine/pixels.ts';
import type { Luma } from './picture-scores.ts';

/** A kernel, zero from `radius` on; it is not widened where the picture shrinks. */
interface Kernel {
  readonly radius: number;
  at(distance: number): number;
}

/** Keys' cubic with a = -0.75, as OpenCV's. */
const CUBIC: Kernel = {
  radius: 2,
  at(distance) {
    const x = Math.abs(distance);
    if (x < 1) return 1.25 * x ** 3 - 2.25 * x ** 2 + 1;
    return x < 2 ? -0.75 * x ** 3 + 3.75 * x ** 2 - 6 * x + 3 : 0;
  },
};

const LANCZOS4: Kernel = {
  radius: 4,
  at: (x) => (Math.abs(x) < 4 ? sinc(x) * sinc(x / 4) : 0),
};

/** The plane at `factor` times its size: by area where it shrinks, by cubic where it grows. */
export function resize(plane: Luma, factor: number): Luma {
  const size = (side: number): number => Math.max(1, Math.round(side * factor));
  const taps = (from: number, to: number): Taps[] =>
    factor < 1 ? areaTaps(from, to, factor) : kernelTaps(from, to, factor, CUBIC);
  return separable(plane, taps(plane.width, size(plane.width)), taps(plane.height, size(plane.height)));
}

/** Lanczos with four lobes. */
export function enlargeLanczos(picture: Raster, scale: number): Raster {
  const taps = (from: number): Taps[] => kernelTaps(from, from * scale, scale, LANCZOS4);
  return resampled(picture, taps(picture.width), taps(picture.height));
}

/** A `factor`th of the size, which divides both sides: each pixel is the mean of those it stands for. */
export function reduceByArea(picture: Raster, factor: number): Raster {
  const taps = (from: number): Taps[] => areaTaps(from, from / factor, 1 / factor);
  return resampled(picture, taps(picture.width), taps(picture.height));
}

function resampled({ width, height, data }: Raster, across: readonly Taps[], down: readonly Taps[]): Raster {
  const output = createRaster(across.length, down.length);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const plane = Float32Array.from({ length: width * height }, (_, i) => data[i * CHANNELS + channel] ?? 0);
    const result = separable({ width, height, data: plane }, across, down);
    for (const [i, value] of result.data.entries()) {
      output.data[i * CHANNELS + channel] = Math.round(Math.min(255, Math.max(0, value)));
    }
  }
  return output;
}

/** Where one output sample comes from: source positions and weights that add up to one. */
type Taps = readonly (readonly [position: number, weight: number])[];

function kernelTaps(from: number, to: number, factor: number, kernel: Kernel): Taps[] {
  return Array.from({ length: to }, (_, p) => {
    const centre = (p + 0.5) / factor - 0.5;
    const first = Math.floor(centre) - kernel.radius + 1;
    const taps = Array.from({ length: 2 * kernel.radius }, (_, tap): [number, number] => [
      Math.min(from - 1, Math.max(0, first + tap)),
      kernel.at(centre - first - tap),
    ]);
    return normalised(taps);
  });
}

function areaTaps(from: number, to: number, factor: number): Taps[] {
  return Array.from({ length: to }, (_, p) => {
    const [low, high] = [p / factor, Math.min(from, (p + 1) / factor)];
    const taps: [number, number][] = [];
    for (let at = Math.min(from - 1, Math.floor(low)); at < high; at++) {
      taps.push([at, Math.max(1e-9, Math.min(high, at + 1) - Math.max(low, at))]);
    }
    return normalised(taps);
  });
}

function normalised(taps: readonly [number, number][]): Taps {
  const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
  return taps.map(([at, weight]) => [at, weight / total]);
}

function separable({ width, height, data }: Luma, across: readonly Taps[], down: readonly Taps[]): Luma {
  const rows = new Float32Array(across.length * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (const taps of across) {
      let sum = 0;
      for (const [at, weight] of taps) sum += weight * (data[y * width + at] ?? 0);
      rows[i++] = sum;
    }
  }
  const output = new Float32Array(across.length * down.length);
  let i = 0;
  for (const taps of down) {
    for (let x = 0; x < across.length; x++) {
      let sum = 0;
      for (const [at, weight] of taps) sum += weight * (rows[at * across.length + x] ?? 0);
      output[i++] = sum;
    }
  }
  return { width: across.length, height: down.length, data: output };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
