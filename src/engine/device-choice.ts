/** Whether a GPU may do the network's work: it must compute the same as the CPU, and faster. Pure. */
import type { Planes, Raster } from './pixels.ts';

/** What a device made of the probe, and how long it took. */
export interface TimedOutput {
  readonly output: Planes;
  readonly ms: number;
}

/** Largest difference between two devices, in units of full white, that is still the same picture. */
const SAME_RESULT = 1 / 255;
const PROBE_SIDE = 128;

/** The GPU is taken if it agrees with the CPU and beats it; a software adapter, which is no GPU, does not. */
export function compareDevices(gpu: TimedOutput, cpu: TimedOutput): { take: boolean; reason: string } {
  const difference = largestDifference(gpu.output, cpu.output);
  const times = `${gpu.ms.toFixed(1)} ms against ${cpu.ms.toFixed(1)} ms on the CPU`;
  // Written so that a NaN is a disagreement.
  if (!(difference <= SAME_RESULT)) {
    return {
      take: false,
      reason: `WebGPU computes something else (off by ${(255 * difference).toFixed(1)}/255)`,
    };
  }
  if (gpu.ms >= cpu.ms) return { take: false, reason: `WebGPU is not faster: ${times}` };
  return { take: true, reason: `WebGPU agrees with the CPU and is faster: ${times}` };
}

/** Ramps and strokes: a tile on which a wrong kernel shows. */
export function probeTile(): Raster {
  const data = Uint8Array.from({ length: PROBE_SIDE * PROBE_SIDE * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % PROBE_SIDE;
    const y = Math.floor(i / 3 / PROBE_SIDE);
    return (x * y) % 17 < 2 ? 30 : 130 + ((x + 2 * y + 40 * (i % 3)) % 120);
  });
  return { width: PROBE_SIDE, height: PROBE_SIDE, data };
}

/** NaN if any value is. */
function largestDifference(a: Planes, b: Planes): number {
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = Math.abs((a.data[i] as number) - (b.data[i] as number)) / a.white;
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(difference)) return Number.NaN;
  }
  return largest;
}
