/** Brightness planes of pictures, and their smoothing. Pure. */
import { CHANNELS, type Raster } from './pixels.ts';

/** BT.601 brightness, one value a pixel, 0…255. */
export function lumaOf({ width, height, data }: Raster): Float32Array {
  const luma = new Float32Array(width * height);
  for (let pixel = 0, at = 0; pixel < luma.length; pixel++, at += CHANNELS) {
    luma[pixel] =
      0.299 * (data[at] as number) + 0.587 * (data[at + 1] as number) + 0.114 * (data[at + 2] as number);
  }
  return luma;
}

/** A 3×3 binomial mean: takes the noise of single pixels away and leaves strokes. Edges are left as they are. */
export function smooth(luma: Float32Array, width: number, height: number): Float32Array {
  const across = Float32Array.from(luma);
  for (let y = 0; y < height; y++) {
    for (let at = y * width + 1; at < (y + 1) * width - 1; at++) {
      across[at] = ((luma[at - 1] as number) + 2 * (luma[at] as number) + (luma[at + 1] as number)) / 4;
    }
  }
  const result = Float32Array.from(across);
  for (let at = width; at < result.length - width; at++) {
    result[at] =
      ((across[at - width] as number) + 2 * (across[at] as number) + (across[at + width] as number)) / 4;
  }
  return result;
}
