/** The quality gate: a result is shown only where, reduced to the photo's size, it agrees with the photo. Pure. */
import { type Consistency, type JudgedWindow, measureConsistency } from './consistency.ts';
import { addEvidence, NO_EVIDENCE, type ShiftEvidence, shiftEvidence, shiftOf } from './displacement.ts';
import { type BlockGrid, blockArea } from './gate-planes.ts';
import { CHANNELS } from './pixels.ts';

export type { JudgedWindow } from './consistency.ts';

/** Where the gate draws its lines; levels in 1/255, lengths in photo pixels. `docs/algorithm.md` has the calibration. */
export interface GateLimits {
  /**
   * A block's disagreement may be `level + noise * noise + contrast * contrast + texture * min(contrast, 10)`. What the
   * network rightly removes grows with noise, what it rightly restores (sharpness) with contrast; `texture` is the grain
   * of a board in a reflection, stronger than the noise of the window and weaker than ink.
   */
  readonly block: {
    readonly level: number;
    readonly noise: number;
    readonly contrast: number;
    readonly texture: number;
  };
  /** A low-passed colour difference may be this much; the terms as for `block`. */
  readonly localTint: { readonly level: number; readonly noise: number; readonly contrast: number };
  /** Next to a red block this share of the limit is enough: a wrong stroke does not end at a block's edge. */
  readonly besideRed: number;
  /** A mean colour difference of the whole picture. */
  readonly tint: {
    readonly level: number;
    readonly noise: number;
    readonly contrast: number;
    readonly few: number;
  };
  /** The displacement of the whole picture, and of a window. */
  readonly shift: number;
  /** The share of ink-bearing blocks that may be red before the whole is distrusted, and how few never are too many. */
  readonly redShare: number;
  readonly redBlocks: number;
}

/** Above this contrast (in 1/255) it is ink rather than the board's texture. */
const TEXTURE = 10;

/**
 * Calibrated on 66 simulated boards with plants and on eight real ones, with networks half trained: right results reach
 * two thirds of the block limits in one block of a thousand, reflections apart. Local tint: 0.9 of the limit in one of a
 * thousand. The whole: one board of 66 is tinted by 2.0, the others less than the limit, real ones by less than 0.6;
 * 3 % of a white board is 6.7, of a blackboard 1.9. Shift: right results stay below 0.03, half a result pixel at x4 is
 * 0.125. Not measured but judged: `redShare`, `redBlocks` (one wrong large letter must not condemn the rest), `besideRed`.
 */
const LIMITS_X2: GateLimits = {
  block: { level: 2.8, noise: 1.3, contrast: 0.08, texture: 0.15 },
  localTint: { level: 3, noise: 0.8, contrast: 0.1 },
  besideRed: 0.6,
  tint: { level: 1.5, noise: 0.1, contrast: 0.05, few: 5 },
  shift: 0.1,
  redShare: 0.1,
  redBlocks: 32,
};

/** At x4 a result pixel rests on a sixteenth of a photo pixel: the network adds more that the photo cannot confirm. */
const LIMITS_X4: GateLimits = {
  ...LIMITS_X2,
  block: { level: 3.2, noise: 1.3, contrast: 0.08, texture: 0.2 },
};

/** The limits for a scale. */
export function limitsFor(scale: number): GateLimits {
  return scale > 2 ? LIMITS_X4 : LIMITS_X2;
}

/** Sums of result minus photo over some pixels: red, green, blue. */
interface TintSum {
  readonly sums: [number, number, number];
  pixels: number;
}

/** The gate's judgement of one window; plain data that may cross threads. */
export interface WindowFindings {
  readonly scale: number;
  readonly grid: BlockGrid;
  /** 1 for blocks that go back to the bicubic base, row by row over the grid. */
  readonly red: Uint8Array;
  /** The whole window goes back to the bicubic base. */
  readonly replaceAll: boolean;
  /** Red blocks, red blocks with ink, blocks with ink and all blocks, in the core. */
  readonly redBlocks: number;
  readonly redInkBlocks: number;
  readonly inkBlocks: number;
  readonly blocks: number;
  /** Sum over the core's pixels of the squared disagreement, or of the difference in brightness where that is larger. */
  readonly squaredError: number;
  readonly pixels: number;
  /** Sum of the contrast over the core's pixels. */
  readonly contrastSum: number;
  /** Over blocks of bare board, blocks with writing, and red ones of either kind. */
  readonly tint: { readonly board: TintSum; readonly writing: TintSum; readonly wrong: TintSum };
  readonly shift: ShiftEvidence;
  /** Standard deviation of the photo's noise, in 1/255. */
  readonly noise: number;
}

/** The gate's judgement of a whole result. */
export interface Quality {
  /** `softened`: parts are replaced by the bicubic base. `fallback`: the caller shows the base instead of the result. */
  readonly verdict: 'accepted' | 'softened' | 'fallback';
  /**
   * PSNR in dB between the photo and the reduced, fitted result: brightness, both smoothed, all windows; 99 at most. A
   * block whose brightness only agrees after the fit counts with its difference before it.
   */
  readonly consistency: number;
  readonly redBlocks: number;
  readonly blocks: number;
  /** How far the result lies right and down of the photo, in photo pixels. */
  readonly shift: { readonly x: number; readonly y: number };
  /**
   * The largest mean colour difference of the three channels, with its sign, in 1/255: over the blocks that are not red,
   * and over all when most are red.
   */
  readonly tint: number;
  /** Standard deviation of the photo's noise, in 1/255: the mean over the windows. */
  readonly noise: number;
  /** Why the verdict is not `accepted`, in words. */
  readonly reasons: readonly string[];
}

/**
 * Evidence of some five blocks of strokes, in squared grey levels: with less, a shift is not believed. Measured on the
 * simulated boards, a block with ink brings 3,500 to 15,000 (tenth and ninetieth percentile of boards), 7,300 in the middle.
 */
const SHIFT_DOUBT = 40_000;

/** The share of a picture that must be bare board for its tint to be read there alone. */
const BARE_BOARD = 0.05;

/** Judges one window of a result. */
export function inspectWindow(window: JudgedWindow): WindowFindings {
  const limits = limitsFor(window.scale);
  const measured = measureConsistency(window);
  const { grid, ink } = measured;
  const red = redBlocksOf(measured, limits);
  const counted = new Uint8Array(red.length);
  let redBlocks = 0;
  let redInkBlocks = 0;
  let inkBlocks = 0;
  let blocks = 0;
  let squaredError = 0;
  let pixels = 0;
  let contrastSum = 0;
  const board: TintSum = { sums: [0, 0, 0], pixels: 0 };
  const writing: TintSum = { sums: [0, 0, 0], pixels: 0 };
  const wrong: TintSum = { sums: [0, 0, 0], pixels: 0 };
  for (let block = 0; block < red.length; block++) {
    if (grid.inCore[block] === 0) continue;
    const area = blockArea(grid, block);
    blocks++;
    pixels += area;
    contrastSum += (measured.contrast[block] as number) * area;
    const colour = measured.colourDifference.subarray(block * CHANNELS, (block + 1) * CHANNELS);
    // The fit has a bias: on an empty board it turns any even result into the photo.
    squaredError +=
      Math.max(measured.disagreement[block] as number, Math.abs(brightnessOf(colour))) ** 2 * area;
    if (ink[block] === 1) {
      inkBlocks++;
      counted[block] = 1;
    }
    const kind = red[block] === 1 ? wrong : ink[block] === 1 ? writing : board;
    kind.pixels += area;
    for (let c = 0; c < CHANNELS; c++) {
      kind.sums[c] = (kind.sums[c] as number) + (colour[c] as number) * area;
    }
    if (red[block] === 1) {
      redBlocks++;
      redInkBlocks += ink[block] as number;
    }
  }
  const shift = shiftEvidence(measured.reduced, measured.photo, grid, counted);
  // A window brings less evidence than a picture: it must be plainer there.
  const { x, y } = shiftOf(shift, 4 * SHIFT_DOUBT);
  const replaceAll = tooManyRed(redInkBlocks, inkBlocks, limits) || Math.hypot(x, y) > limits.shift;
  return {
    scale: window.scale,
    grid,
    red,
    replaceAll,
    redBlocks,
    redInkBlocks,
    inkBlocks,
    blocks,
    squaredError,
    pixels,
    contrastSum,
    tint: { board, writing, wrong },
    shift,
    noise: measured.noise,
  };
}

/** How far a block may disagree, in 1/255, with the photo's noise and the contrast around the block. */
export function blockLimitOf({ block }: GateLimits, noise: number, contrast: number): number {
  return (
    block.level +
    block.noise * noise +
    block.contrast * contrast +
    block.texture * Math.min(contrast, TEXTURE)
  );
}

/** Blocks over a limit, and their neighbours that come close to it. */
function redBlocksOf(measured: Consistency, limits: GateLimits): Uint8Array {
  const { grid, disagreement, contrast, tint, noise } = measured;
  const excess = new Float64Array(disagreement.length);
  const red = new Uint8Array(disagreement.length);
  for (let block = 0; block < red.length; block++) {
    const around = contrast[block] as number;
    const blockLimit = blockLimitOf(limits, noise, around);
    const tintLimit =
      limits.localTint.level + limits.localTint.noise * noise + limits.localTint.contrast * around;
    let most = (disagreement[block] as number) / blockLimit;
    for (let c = 0; c < CHANNELS; c++) {
      most = Math.max(most, Math.abs(tint[block * CHANNELS + c] as number) / tintLimit);
    }
    excess[block] = most;
    if (most > 1) red[block] = 1;
  }
  const { columns, rows } = grid;
  const sure = red.slice();
  for (let row = 0, block = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, block++) {
      if (sure[block] === 0) continue;
      for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
          const beside = y * columns + x;
          if ((excess[beside] as number) > limits.besideRed) red[beside] = 1;
        }
      }
    }
  }
  return red;
}

/**
 * Only blocks with ink count: a board is mostly empty, and an empty block, often taken back for the grain of a reflection,
 * says nothing of the letters. Where every tenth piece of writing is wrong, the others are right by luck.
 */
function tooManyRed(red: number, ink: number, limits: GateLimits): boolean {
  return red > limits.redBlocks && red > limits.redShare * ink;
}

/** BT.601. */
function brightnessOf([red = 0, green = 0, blue = 0]: Float64Array): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** Judges a whole result by the findings of all its windows. */
export function verdictOf(findings: readonly WindowFindings[]): Quality {
  const limits = limitsFor(findings[0]?.scale ?? 2);
  const total = (figure: (window: WindowFindings) => number): number =>
    findings.reduce((sum, window) => sum + figure(window), 0);
  const redBlocks = total((window) => window.redBlocks);
  const redInkBlocks = total((window) => window.redInkBlocks);
  const inkBlocks = total((window) => window.inkBlocks);
  const blocks = total((window) => window.blocks);
  const pixels = Math.max(
    1,
    total((window) => window.pixels),
  );
  const error = total((window) => window.squaredError) / pixels;
  // A wrong letter is taken back and tints nothing; where most is wrong, what happens to agree says nothing of the whole.
  const mostlyRed = redBlocks > 0.5 * blocks;
  const kinds: (keyof WindowFindings['tint'])[] = ['board'];
  const boardPixels = total((window) => window.tint.board.pixels);
  // Sharper ink is also darker, or lighter; the board beside it is not. Only a page packed with ink has no board.
  if (boardPixels < BARE_BOARD * pixels) kinds.push('writing');
  else if (mostlyRed) kinds.push('writing');
  if (mostlyRed) kinds.push('wrong');
  const tintPixels = Math.max(
    1,
    total((window) => kinds.reduce((sum, kind) => sum + window.tint[kind].pixels, 0)),
  );
  const tints = [0, 1, 2].map(
    (c) =>
      total((window) => kinds.reduce((sum, kind) => sum + (window.tint[kind].sums[c] as number), 0)) /
      tintPixels,
  );
  const tint = tints.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  const shift = shiftOf(
    findings.reduce((sum, window) => addEvidence(sum, window.shift), NO_EVIDENCE),
    SHIFT_DOUBT,
  );
  const noise = total((window) => window.noise) / Math.max(1, findings.length);

  const contrast = kinds.includes('writing') ? total((window) => window.contrastSum) / pixels : 0;
  const tintLimit =
    limits.tint.level +
    limits.tint.noise * noise +
    limits.tint.contrast * contrast +
    limits.tint.few / Math.sqrt(tintPixels);
  const failures: string[] = [];
  const distance = Math.hypot(shift.x, shift.y);
  if (distance > limits.shift) failures.push(`shifted by ${distance.toFixed(2)} photo pixels`);
  if (Math.abs(tint) > tintLimit) failures.push(`tinted by ${tint.toFixed(1)}/255`);
  if (tooManyRed(redInkBlocks, inkBlocks, limits)) {
    failures.push(`${redInkBlocks} of ${inkBlocks} blocks with writing disagree with the photo`);
  }
  const replaced = findings.filter((window) => window.replaceAll).length;
  const softened = redBlocks > 0 || replaced > 0;
  const disagreed = `${redBlocks} of ${blocks} blocks disagreed with the photo`;
  if (mostlyRed) failures.push(disagreed);
  else if (failures.length === 0 && replaced > 0 && replaced === findings.length) {
    failures.push('no part of it can be trusted');
  }
  const repairs = softened ? [disagreed] : [];
  return {
    verdict: failures.length > 0 ? 'fallback' : softened ? 'softened' : 'accepted',
    consistency: error > 0 ? Math.min(99, 10 * Math.log10(255 ** 2 / error)) : 99,
    redBlocks,
    blocks,
    shift,
    tint,
    noise,
    reasons: failures.length > 0 ? failures : repairs,
  };
}
