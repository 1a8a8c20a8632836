/** Boards drawn in code with known truth, and photos of them: fixtures for tests, the same from the same seed. */
import { CHANNELS, createRaster, type Raster } from '../../src/engine/pixels.ts';

type Point = readonly [number, number];
type Polyline = readonly Point[];

/** Single-line letters of x-height 1: x from the left, y down from the top of the x-height. */
export const LETTERS: Readonly<Record<string, readonly Polyline[]>> = {
  o: [circle(0.4, 0.5, 0.4, 0.5, 0, 360)],
  c: [circle(0.4, 0.5, 0.4, 0.5, 45, 315)],
  e: [...lines('.02,.5 .78,.5'), circle(0.4, 0.5, 0.4, 0.5, -55, 305)],
  n: lines('0,0 0,1', '0,.35 .2,.05 .5,.05 .7,.3 .7,1'),
  m: lines('0,0 0,1', '0,.3 .2,.05 .4,.1 .5,.3 .5,1', '.5,.3 .7,.05 .9,.1 1,.3 1,1'),
  x: lines('0,0 .7,1', '.7,0 0,1'),
  v: lines('0,0 .4,1 .8,0'),
  z: lines('0,0 .7,0 0,1 .7,1'),
  t: lines('.3,-.5 .3,.85 .45,1 .65,.95', '0,0 .65,0'),
  l: lines('.1,-.6 .1,1'),
  i: lines('.1,0 .1,1', '.1,-.4 .1,-.35'),
  h: lines('0,-.6 0,1', '0,.35 .2,.05 .5,.05 .7,.3 .7,1'),
  b: [...lines('0,-.6 0,1'), circle(0.35, 0.6, 0.35, 0.4, 0, 360)],
  d: [...lines('.7,-.6 .7,1'), circle(0.35, 0.6, 0.35, 0.4, 0, 360)],
  '+': lines('.4,.1 .4,.9', '0,.5 .8,.5'),
  '=': lines('0,.3 .8,.3', '0,.7 .8,.7'),
};

/** Polylines written as points `x,y` with spaces between. */
export function lines(...texts: string[]): Polyline[] {
  return texts.map((text) =>
    text.split(' ').map((point): Point => {
      const [x = 0, y = 0] = point.split(',').map(Number);
      return [x, y];
    }),
  );
}

function circle(x: number, y: number, rx: number, ry: number, from: number, to: number): Polyline {
  const steps = 16;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [x + rx * Math.cos(angle), y - ry * Math.sin(angle)] as const;
  });
}

/** One thing written on a board: lengths in photo pixels. */
export interface Mark {
  readonly letter: string;
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly strokes: readonly Polyline[];
}

/** A page of letters: lines of random letters with gaps, in photo pixels. */
export function writePage(width: number, height: number, xHeight: number, random: () => number): Mark[] {
  const names = Object.keys(LETTERS);
  const marks: Mark[] = [];
  for (let y = 1.2 * xHeight; y + 1.3 * xHeight < height; y += 2.4 * xHeight) {
    for (let x = xHeight; x + 1.5 * xHeight < width; x += 1.35 * xHeight) {
      if (random() < 0.2) continue;
      const letter = names[Math.floor(random() * names.length)] ?? 'o';
      const size = xHeight * (0.9 + 0.2 * random());
      // Handwriting does not sit on the pixel grid.
      marks.push({ letter, x: x + random(), y: y + random(), size, strokes: LETTERS[letter] ?? [] });
    }
  }
  return marks;
}

export interface BoardLook {
  /** Light strokes on a dark board instead of the reverse. */
  readonly dark: boolean;
  /** Stroke width in photo pixels. */
  readonly stroke: number;
  /** How much of the full ink contrast is there, 0..1. */
  readonly strength: number;
}

/** Draws the marks at `scale` times the photo's size: anti-aliased strokes on a board with a gentle light gradient. */
export function drawPage(
  width: number,
  height: number,
  scale: number,
  marks: readonly Mark[],
  look: BoardLook,
): Raster {
  const board = createRaster(width * scale, height * scale);
  const cover = coverage(board.width, board.height, scale, marks, look.stroke);
  const paper = look.dark ? [48, 62, 54] : [222, 221, 214];
  const ink = look.dark ? [214, 214, 205] : [38, 42, 78];
  for (let y = 0, at = 0; y < board.height; y++) {
    for (let x = 0; x < board.width; x++) {
      const light = 0.94 + (0.12 * (x + y)) / (board.width + board.height);
      const part = (cover[y * board.width + x] as number) * look.strength;
      for (let c = 0; c < CHANNELS; c++, at++) {
        const level = light * ((paper[c] as number) * (1 - part) + (ink[c] as number) * part);
        board.data[at] = Math.min(255, level + 0.5);
      }
    }
  }
  return board;
}

/** How much of each pixel the strokes cover, 0..1. */
function coverage(
  width: number,
  height: number,
  scale: number,
  marks: readonly Mark[],
  stroke: number,
): Float32Array {
  const cover = new Float32Array(width * height);
  const radius = (stroke * scale) / 2;
  for (const mark of marks) {
    for (const line of mark.strokes) {
      for (let i = 0; i + 1 < line.length; i++) {
        const [ax, ay] = placed(line[i] ?? [0, 0], mark, scale);
        const [bx, by] = placed(line[i + 1] ?? [0, 0], mark, scale);
        const reach = radius + 1;
        const square = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
        for (
          let y = Math.max(0, Math.floor(Math.min(ay, by) - reach));
          y < Math.min(height, Math.max(ay, by) + reach);
          y++
        ) {
          for (
            let x = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
            x < Math.min(width, Math.max(ax, bx) + reach);
            x++
          ) {
            const px = x + 0.5 - ax;
            const py = y + 0.5 - ay;
            const along = Math.min(1, Math.max(0, (px * (bx - ax) + py * (by - ay)) / square));
            const distance = Math.hypot(px - along * (bx - ax), py - along * (by - ay));
            const part = Math.min(1, Math.max(0, radius + 0.5 - distance));
            const at = y * width + x;
            cover[at] = Math.max(cover[at] as number, part);
          }
        }
      }
    }
  }
  return cover;
}

function placed([x, y]: Point, mark: Mark, scale: number): Point {
  return [(mark.x + x * mark.size) * scale, (mark.y + y * mark.size) * scale];
}

/** A Gaussian blur; `sigma` in pixels of the raster. Edges are repeated. */
export function blur(raster: Raster, sigma: number): Raster {
  if (sigma === 0) return raster;
  const radius = Math.ceil(3 * sigma);
  const kernel = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const weights = Float64Array.from(kernel, (weight) => weight / total);
  const { width, height, data } = raster;
  const rowLength = width * CHANNELS;
  const across = new Float32Array(data.length);
  const padded = new Float32Array(rowLength + 2 * radius * CHANNELS);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < padded.length; i++) {
      const x = Math.min(width - 1, Math.max(0, Math.floor(i / CHANNELS) - radius));
      padded[i] = data[y * rowLength + x * CHANNELS + (i % CHANNELS)] as number;
    }
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k] as number;
      for (let i = 0, to = y * rowLength; i < rowLength; i++, to++) {
        across[to] = (across[to] as number) + weight * (padded[i + k * CHANNELS] as number);
      }
    }
  }
  const blurred = createRaster(width, height);
  const sums = new Float32Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(0.5);
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k] as number;
      const from = Math.min(height - 1, Math.max(0, y + k - radius)) * rowLength;
      for (let i = 0; i < rowLength; i++)
        sums[i] = (sums[i] as number) + weight * (across[from + i] as number);
    }
    blurred.data.set(sums, y * rowLength);
  }
  return blurred;
}

/** Unsharp masking: `amount` of the difference to a blur is added. */
export function sharpen(raster: Raster, sigma: number, amount: number): Raster {
  const soft = blur(raster, sigma);
  return mapBytes(raster, (value, i) => value + amount * (value - (soft.data[i] as number)));
}

/** A raster with each byte replaced, rounded and kept within 0..255. */
export function mapBytes(raster: Raster, change: (value: number, index: number) => number): Raster {
  const changed = createRaster(raster.width, raster.height);
  for (let i = 0; i < changed.data.length; i++) {
    changed.data[i] = Math.min(255, Math.max(0, change(raster.data[i] as number, i) + 0.5));
  }
  return changed;
}

/** The mean of `scale` x `scale` pixels, as a sensor sees it. */
export function reduce(raster: Raster, scale: number): Raster {
  const reduced = createRaster(raster.width / scale, raster.height / scale);
  for (let y = 0, at = 0; y < reduced.height; y++) {
    for (let x = 0; x < reduced.width; x++) {
      for (let c = 0; c < CHANNELS; c++, at++) {
        let sum = 0;
        for (let k = 0; k < scale * scale; k++) {
          const from = (y * scale + Math.floor(k / scale)) * raster.width + x * scale + (k % scale);
          sum += raster.data[from * CHANNELS + c] as number;
        }
        reduced.data[at] = sum / (scale * scale) + 0.5;
      }
    }
  }
  return reduced;
}

/** A photo of the board: blurred by `sigma` photo pixels, reduced by `scale`, with white noise (deviation in 1/255). */
export function photograph(
  board: Raster,
  scale: number,
  sigma: number,
  noise: number,
  random: () => number,
): Raster {
  const photo = reduce(blur(board, sigma * scale), scale);
  return noise === 0 ? photo : mapBytes(photo, (value) => value + noise * normal(random));
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
