/** Takes the blocks of a result that disagree with the photo back to the bicubic base. Pure. */
import { enlarge } from './bicubic.ts';
import type { JudgedWindow } from './consistency.ts';
import { CHANNELS, cutOut, type Raster, type Rect, scaleRect } from './pixels.ts';
import type { WindowFindings } from './quality-gate.ts';

/** Over how many result pixels a repair fades into its surroundings. */
const FEATHER = 8;

/**
 * The core of a window with its red blocks taken from the bicubic base.
 *
 * @returns RGB of `scale` times the size of the core, or null when nothing is to be changed
 */
export function blendToBase(window: JudgedWindow, findings: WindowFindings): Raster | null {
  const { photo, result, scale, core } = window;
  if (findings.replaceAll) return enlarge(photo, scale, core, null);
  const area = areaToRepair(findings, core, Math.ceil(FEATHER / scale));
  if (area === null) return null;
  const repaired = cutOut(result, scaleRect(core, scale));
  const base = enlarge(photo, scale, area, null);
  const share = shareOfBase(findings, scaleRect(area, scale));
  const left = (area.left - core.left) * scale;
  const top = (area.top - core.top) * scale;
  for (let y = 0, at = 0; y < base.height; y++) {
    let to = ((top + y) * repaired.width + left) * CHANNELS;
    for (let x = 0; x < base.width; x++, at++) {
      const part = share[at] as number;
      for (let c = 0; c < CHANNELS; c++, to++) {
        const now = repaired.data[to] as number;
        repaired.data[to] = now + part * ((base.data[at * CHANNELS + c] as number) - now) + 0.5;
      }
    }
  }
  return repaired;
}

/** The smallest rectangle of the core that holds all red blocks and their fading edges, in photo pixels of the window. */
function areaToRepair({ grid, red }: WindowFindings, core: Rect, fade: number): Rect | null {
  let left = core.left + core.width;
  let top = core.top + core.height;
  let right = core.left;
  let bottom = core.top;
  for (let block = 0; block < red.length; block++) {
    if (red[block] === 0) continue;
    const column = block % grid.columns;
    const row = (block - column) / grid.columns;
    left = Math.min(left, (grid.xs[column] as number) - fade);
    right = Math.max(right, (grid.xs[column + 1] as number) + fade);
    top = Math.min(top, (grid.ys[row] as number) - fade);
    bottom = Math.max(bottom, (grid.ys[row + 1] as number) + fade);
  }
  left = Math.max(left, core.left);
  top = Math.max(top, core.top);
  right = Math.min(right, core.left + core.width);
  bottom = Math.min(bottom, core.top + core.height);
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : null;
}

/** How much of each result pixel of `area` comes from the base: 1 in red blocks, fading to 0 around them. */
function shareOfBase({ grid, red, scale }: WindowFindings, area: Rect): Float32Array {
  const share = new Float32Array(area.width * area.height);
  for (let block = 0; block < red.length; block++) {
    if (red[block] === 0) continue;
    const column = block % grid.columns;
    const row = (block - column) / grid.columns;
    const left = (grid.xs[column] as number) * scale - area.left;
    const right = (grid.xs[column + 1] as number) * scale - area.left;
    const top = (grid.ys[row] as number) * scale - area.top;
    const bottom = (grid.ys[row + 1] as number) * scale - area.top;
    for (let y = Math.max(0, top - FEATHER); y < Math.min(area.height, bottom + FEATHER); y++) {
      const vertical = shareAt(y, top, bottom);
      for (let x = Math.max(0, left - FEATHER); x < Math.min(area.width, right + FEATHER); x++) {
        const at = y * area.width + x;
        share[at] = Math.max(share[at] as number, vertical * shareAt(x, left, right));
      }
    }
  }
  return share;
}

/** 1 from `start` to before `end`, falling linearly to 0 over the feather on both sides. */
function shareAt(position: number, start: number, end: number): number {
  const outside = position < start ? start - position : position >= end ? position - end + 1 : 0;
  return Math.max(0, 1 - outside / (FEATHER + 1));
}
