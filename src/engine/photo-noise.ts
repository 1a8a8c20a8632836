/** How noisy a photo is, told from the photo alone. Pure. */
import { PAD, type Plane } from './gate-planes.ts';

/** The share of small differences that is trusted to be noise alone, and that quantile of a normal deviate's size. */
const QUIET_SHARE = 0.2;
const QUIET_DEVIATE = 0.2533;

/** Bins per grey level. */
const FINENESS = 16;

/**
 * Standard deviation of the noise in a smoothed photo, in 1/255. A phone's noise has been smeared by its denoiser, the
 * JPEG encoder and the reduction, so neighbours say nothing of it; three pixels apart it shows in full. On a page of
 * small letters that step meets ink nearly everywhere; two pixels apart there is less ink, and the noise shows 1.2 to
 * 2.2 times weaker (simulated cameras).
 */
export function noiseOf(smoothed: Plane): number {
  return Math.min(noiseAt(smoothed, 3), 1.6 * noiseAt(smoothed, 2));
}

/**
 * A low quantile of second differences of the given step, which vanish on planes and on straight edges along an axis
 * (Immerkaer 1996, who takes the mean). Every fourth row is enough.
 */
function noiseAt({ width, height, stride, data }: Plane, step: number): number {
  const bins = new Uint32Array(2048);
  const down = step * stride;
  let count = 0;
  for (let y = step; y < height - step; y += 4) {
    let at = (y + PAD) * stride + PAD + step;
    for (const end = at + width - 2 * step; at < end; at++) {
      const above = secondDifference(data, at - down, step);
      const below = secondDifference(data, at + down, step);
      const value = FINENESS * Math.abs(above - 2 * secondDifference(data, at, step) + below) + 0.5;
      // What lies beyond the last bin is ink, not noise.
      const bin = value < 2047 ? value | 0 : 2047;
      bins[bin] = (bins[bin] as number) + 1;
      count++;
    }
  }
  if (count === 0) return 0;
  let bin = 0;
  for (let seen = bins[0] as number; seen < QUIET_SHARE * count; seen += bins[bin] as number) bin++;
  // The mask's coefficients have norm 6.
  return bin / FINENESS / (6 * QUIET_DEVIATE);
}

function secondDifference(data: Float32Array, at: number, step: number): number {
  return (data[at - step] as number) - 2 * (data[at] as number) + (data[at + step] as number);
}
