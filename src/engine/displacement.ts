/** How far the reduced result is shifted against the photo, by the slopes of its strokes. Pure. */
import { type BlockGrid, PAD, type Plane } from './gate-planes.ts';

/** Sums of the least-squares equations of a shift; sums of several windows simply add up. */
export interface ShiftEvidence {
  /** Products of the horizontal and vertical slopes. */
  readonly xx: number;
  readonly xy: number;
  readonly yy: number;
  /** Products of the slopes with photo minus reduced result. */
  readonly x: number;
  readonly y: number;
}

/** Nothing known yet. */
export const NO_EVIDENCE: ShiftEvidence = { xx: 0, xy: 0, yy: 0, x: 0, y: 0 };

/**
 * Lucas and Kanade's equations over the chosen blocks. A result that is merely sharper than the photo differs by an even
 * function at every edge, whose product with the odd slope cancels: only a shift remains. The slopes are the result's,
 * not the photo's: it is the one with the noise removed, and noise in the slopes would make every shift look smaller.
 *
 * @param chosen 1 for blocks to use, row by row
 */
export function shiftEvidence(
  reduced: Plane,
  photo: Plane,
  grid: BlockGrid,
  chosen: Uint8Array,
): ShiftEvidence {
  const { stride, data } = reduced;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  let sumX = 0;
  let sumY = 0;
  for (let block = 0; block < chosen.length; block++) {
    if (chosen[block] !== 1) continue;
    const column = block % grid.columns;
    const row = (block - column) / grid.columns;
    const left = grid.xs[column] as number;
    const right = grid.xs[column + 1] as number;
    const bottom = grid.ys[row + 1] as number;
    for (let y = grid.ys[row] as number; y < bottom; y++) {
      let at = (y + PAD) * stride + left + PAD;
      for (const end = at + right - left; at < end; at++) {
        const slopeX = ((data[at + 1] as number) - (data[at - 1] as number)) / 2;
        const slopeY = ((data[at + stride] as number) - (data[at - stride] as number)) / 2;
        const difference = (photo.data[at] as number) - (data[at] as number);
        xx += slopeX * slopeX;
        xy += slopeX * slopeY;
        yy += slopeY * slopeY;
        sumX += slopeX * difference;
        sumY += slopeY * difference;
      }
    }
  }
  return { xx, xy, yy, x: sumX, y: sumY };
}

export function addEvidence(a: ShiftEvidence, b: ShiftEvidence): ShiftEvidence {
  return { xx: a.xx + b.xx, xy: a.xy + b.xy, yy: a.yy + b.yy, x: a.x + b.x, y: a.y + b.y };
}

/**
 * The shift in photo pixels, positive where the result lies further right or down than the photo.
 *
 * @param doubt pull towards no shift, in squared grey levels: little evidence, little shift
 */
export function shiftOf({ xx, xy, yy, x, y }: ShiftEvidence, doubt: number): { x: number; y: number } {
  const a = xx + doubt;
  const b = yy + doubt;
  const determinant = a * b - xy * xy;
  return { x: (b * x - xy * y) / determinant, y: (a * y - xy * x) / determinant };
}
