/** Errors to plant into results, so that it can be counted how many of them the quality gate finds. Pure. */
import { CHANNELS, createRaster, expandWithin, type Raster, type Rect } from '../src/engine/pixels.ts';
import type { TruthLine } from '../src/evaluation/truth-folder.ts';

/** A letter, or a part of the size of one: the pixels of the truth that its ink covers. */
export interface Letter {
  readonly box: Rect;
  /** 1 where there is ink, row by row over the box. */
  readonly ink: Uint8Array;
}

/** What can be planted at one letter. `null` from a plant: it does not fit here. */
export type LetterPlant = (at: Place) => Raster | null;

/** A letter in a result, with what the plants must know around it. */
export interface Place {
  readonly result: Raster;
  readonly letter: Letter;
  /** The other letters of the line. */
  readonly others: readonly Letter[];
  /** All ink of the board, 1 where there is some. */
  readonly ink: Uint8Array;
  readonly scale: number;
}

const INK_SHARE = 0.4;

/** Where the truth has ink: brightness that differs from the board around it. */
export function inkOf(truth: Raster, lines: readonly TruthLine[]): Uint8Array {
  const ink = new Uint8Array(truth.width * truth.height);
  for (const { box } of lines) {
    const [left, top, right, bottom] = box;
    const levels: number[] = [];
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) levels.push(brightness(truth, x, y));
    const board = levels.toSorted((a, b) => a - b)[levels.length >> 1] ?? 0;
    const most = levels.reduce((far, level) => Math.max(far, Math.abs(level - board)), 0);
    for (const [i, level] of levels.entries()) {
      const at = (top + Math.floor(i / (right - left))) * truth.width + left + (i % (right - left));
      if (Math.abs(level - board) > INK_SHARE * most) ink[at] = 1;
    }
  }
  return ink;
}

/** The marks of a line that stand alone and are as large as letters. */
export function lettersOf(ink: Uint8Array, width: number, line: TruthLine, scale: number): Letter[] {
  const [left, top, right, bottom] = line.box;
  const size = line.xHeight * scale;
  const seen = new Set<number>();
  const letters: Letter[] = [];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const start = y * width + x;
      if (ink[start] === 0 || seen.has(start)) continue;
      const pixels = [start];
      seen.add(start);
      for (let i = 0; i < pixels.length; i++) {
        const [px, py] = [(pixels[i] as number) % width, Math.floor((pixels[i] as number) / width)];
        for (let ny = Math.max(top, py - 1); ny <= Math.min(bottom - 1, py + 1); ny++) {
          for (let nx = Math.max(left, px - 1); nx <= Math.min(right - 1, px + 1); nx++) {
            const next = ny * width + nx;
            if (ink[next] === 0 || seen.has(next)) continue;
            seen.add(next);
            pixels.push(next);
          }
        }
      }
      const letter = letterOf(pixels, width);
      const { width: wide, height: high } = letter.box;
      if (high > 0.7 * size && high < 2.2 * size && wide > 0.25 * size && wide < 1.8 * size)
        letters.push(letter);
    }
  }
  return letters;
}

function letterOf(pixels: readonly number[], width: number): Letter {
  const [xs, ys] = [pixels.map((at) => at % width), pixels.map((at) => Math.floor(at / width))];
  const [left, top] = [xs, ys].map((list) => list.reduce((a, b) => Math.min(a, b))) as [number, number];
  const [right, bottom] = [xs, ys].map((list) => list.reduce((a, b) => Math.max(a, b))) as [number, number];
  const box = { left, top, width: right - left + 1, height: bottom - top + 1 };
  const ink = new Uint8Array(box.width * box.height);
  for (const [i, x] of xs.entries()) ink[((ys[i] as number) - top) * box.width + x - left] = 1;
  return { box, ink };
}

/** The plants that change one letter, by the names they have in docs/algorithm.md. */
export const LETTER_PLANTS: Readonly<Record<string, LetterPlant>> = {
  erased: (place) => erase(place, 0),
  'half erased': (place) => erase(place, 0.5),
  replaced({ others, ...place }) {
    const { letter } = place;
    const other = others.find((one) => one !== letter && isAlike(one, letter) && overlap(one, letter) < 0.65);
    if (other === undefined) return null;
    const planted = erase({ ...place, others }, 0);
    const reach = reachOf(place.scale);
    const board = boardColour({ ...place, letter: other, others });
    forEachNear(other, reach, place.result, (x, y) => {
      const [toX, toY] = [
        x - other.box.left + letter.box.left,
        y - other.box.top - other.box.height + letter.box.top + letter.box.height,
      ];
      if (toX < 0 || toY < 0 || toX >= planted.width || toY >= planted.height) return;
      for (let c = 0; c < CHANNELS; c++) {
        const at = (toY * planted.width + toX) * CHANNELS + c;
        const from = (y * planted.width + x) * CHANNELS + c;
        const moved =
          (planted.data[at] as number) + (place.result.data[from] as number) - (board[c] as number);
        planted.data[at] = Math.min(255, Math.max(0, moved));
      }
    });
    return planted;
  },
  'added stroke'(place) {
    const { box } = place.letter;
    const [ax, ay, bx, by] = [box.left, box.top + box.height, box.left + box.width, box.top];
    const square = (bx - ax) ** 2 + (by - ay) ** 2;
    return paint(place, (x, y) => {
      const along = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square));
      const distance = Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
      return 0.6 * place.scale + 0.5 - distance;
    });
  },
  'added dot'(place) {
    const { letter, ink, result, scale } = place;
    const free = 3 * scale;
    // Beside the letter's upper half, where a dot changes a letter; the first place that is bare.
    for (const dy of [-1.2, 0.2, -0.5]) {
      for (const dx of [0.5, 1.3, -0.3]) {
        const cx = Math.round(letter.box.left + dx * letter.box.width);
        const cy = Math.round(letter.box.top + dy * letter.box.height);
        const around = { left: cx - free, top: cy - free, width: 2 * free, height: 2 * free };
        if (around.left < 0 || around.top < 0) continue;
        if (around.left + 2 * free > result.width || around.top + 2 * free > result.height) continue;
        let bare = true;
        for (let y = around.top; y < around.top + 2 * free; y++)
          for (let x = around.left; x < around.left + 2 * free; x++)
            if (ink[y * result.width + x] === 1) bare = false;
        if (bare) return paint(place, (x, y) => scale + 0.5 - Math.hypot(x - cx, y - cy));
      }
    }
    return null;
  },
};

/** The plants that change the whole result; `size` in the unit of each. */
export const WHOLE_PLANTS: Readonly<Record<string, (result: Raster, scale: number) => Raster>> = {
  'shift by half a photo pixel': (result, scale) => moved(result, scale / 2, 0),
  'shift by half a result pixel': (result) => moved(result, 0.5, 0),
  'tint of 3 %': (result) => tinted(result, 0, 0.03),
  'seam: the right half one result pixel lower': (result) => moved(result, 1, Math.floor(result.width / 2)),
  'seam: the right half 4 % darker': (result) => tinted(result, Math.floor(result.width / 2), 0.04),
};

function copy(raster: Raster): Raster {
  return { ...raster, data: raster.data.slice() };
}

/** Letters are soft: what belongs to one reaches about a photo pixel beyond its ink. */
function reachOf(scale: number): number {
  return Math.ceil(1.2 * scale);
}

/** The letter from a share of its height on made board. */
function erase(place: Place, from: number): Raster {
  const { result, letter, scale } = place;
  const planted = copy(result);
  const board = boardColour(place);
  const first = letter.box.top + (from === 0 ? -Infinity : from * letter.box.height);
  forEachNear(letter, reachOf(scale), result, (x, y) => {
    if (y < first) return;
    for (let c = 0; c < CHANNELS; c++)
      planted.data[(y * result.width + x) * CHANNELS + c] = board[c] as number;
  });
  return planted;
}

/** The mean of what is bare around a letter. */
function boardColour({ result, letter, ink, scale }: Place): number[] {
  const around = expandWithin(letter.box, 3 * scale, result.width, result.height);
  const sums = [0, 0, 0];
  let pixels = 0;
  for (let y = around.top; y < around.top + around.height; y++) {
    for (let x = around.left; x < around.left + around.width; x++) {
      if (inkWithin(ink, result, x, y, reachOf(scale))) continue;
      for (let c = 0; c < CHANNELS; c++) sums[c] = (sums[c] as number) + at(result, x, y, c);
      pixels++;
    }
  }
  if (pixels > 0) return sums.map((sum) => sum / pixels);
  return [0, 1, 2].map((c) => at(result, around.left, around.top, c));
}

/** The mean of the quarter of a letter that differs most from the board: its edges are soft. */
function inkColour(place: Place): number[] {
  const { result, letter } = place;
  const board = boardColour(place);
  const pixels: { colour: number[]; far: number }[] = [];
  forEachNear(letter, 0, result, (x, y) => {
    const colour = [0, 1, 2].map((c) => at(result, x, y, c));
    const far = colour.reduce((sum, level, c) => sum + Math.abs(level - (board[c] as number)), 0);
    pixels.push({ colour, far });
  });
  const core = pixels.sort((a, b) => b.far - a.far).slice(0, Math.ceil(pixels.length / 4));
  return [0, 1, 2].map((c) => core.reduce((sum, { colour }) => sum + (colour[c] as number), 0) / core.length);
}

function inkWithin(ink: Uint8Array, { width, height }: Raster, x: number, y: number, reach: number): boolean {
  for (let ny = Math.max(0, y - reach); ny <= Math.min(height - 1, y + reach); ny++)
    for (let nx = Math.max(0, x - reach); nx <= Math.min(width - 1, x + reach); nx++)
      if (ink[ny * width + nx] === 1) return true;
  return false;
}

/** Draws in the letter's ink; `cover` is how much of a pixel, above 1 and below 0 cut off. */
function paint(place: Place, cover: (x: number, y: number) => number): Raster {
  const { result, letter } = place;
  const colour = inkColour(place);
  const planted = copy(result);
  const reach = 2 * Math.max(letter.box.width, letter.box.height);
  const around = expandWithin(letter.box, reach, result.width, result.height);
  for (let y = around.top; y < around.top + around.height; y++) {
    for (let x = around.left; x < around.left + around.width; x++) {
      const part = Math.min(1, Math.max(0, cover(x, y)));
      for (let c = 0; c < CHANNELS; c++) {
        const board = at(result, x, y, c);
        planted.data[(y * result.width + x) * CHANNELS + c] =
          board + part * ((colour[c] as number) - board) + 0.5;
      }
    }
  }
  return planted;
}

/** Every pixel within `reach` of the letter's ink. */
function forEachNear(
  { box, ink }: Letter,
  reach: number,
  { width, height }: Raster,
  visit: (x: number, y: number) => void,
): void {
  const around = expandWithin(box, reach, width, height);
  for (let y = around.top; y < around.top + around.height; y++) {
    for (let x = around.left; x < around.left + around.width; x++) {
      const [mx, my] = [x - box.left, y - box.top];
      if (inkWithin(ink, { ...box, data: ink }, mx, my, reach)) visit(x, y);
    }
  }
}

function isAlike(one: Letter, two: Letter): boolean {
  const close = (a: number, b: number, share: number): boolean => Math.abs(a - b) <= share * Math.max(a, b);
  return close(one.box.height, two.box.height, 0.15) && close(one.box.width, two.box.width, 0.35);
}

/** How much of the ink of two letters lies on each other when their lower left corners do: 1 for the same letter. */
function overlap(one: Letter, two: Letter): number {
  let both = 0;
  let any = 0;
  const [width, height] = [Math.max(one.box.width, two.box.width), Math.max(one.box.height, two.box.height)];
  const has = ({ box, ink }: Letter, x: number, y: number): boolean =>
    x < box.width && y < box.height && ink[(box.height - 1 - y) * box.width + x] === 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [a, b] = [has(one, x, y), has(two, x, y)];
      if (a && b) both++;
      if (a || b) any++;
    }
  }
  return both / any;
}

/** From a column on moved down by a number of result pixels, bilinear; what is missing is repeated. */
function moved(result: Raster, down: number, fromColumn: number): Raster {
  const planted = createRaster(result.width, result.height);
  for (let y = 0; y < result.height; y++) {
    const from = Math.max(0, y - down);
    const [upper, part] = [Math.floor(from), from - Math.floor(from)];
    const lower = Math.min(result.height - 1, upper + 1);
    for (let x = 0; x < result.width; x++) {
      for (let c = 0; c < CHANNELS; c++) {
        const still = at(result, x, y, c);
        const shifted = at(result, x, upper, c) * (1 - part) + at(result, x, lower, c) * part;
        planted.data[(y * result.width + x) * CHANNELS + c] = (x < fromColumn ? still : shifted) + 0.5;
      }
    }
  }
  return planted;
}

/** From a column on the red channel (whole pictures) or all channels (halves) less by a share of what they are. */
function tinted(result: Raster, fromColumn: number, share: number): Raster {
  const planted = copy(result);
  for (let y = 0; y < result.height; y++)
    for (let x = fromColumn; x < result.width; x++)
      for (let c = 0; c < (fromColumn === 0 ? 1 : CHANNELS); c++)
        planted.data[(y * result.width + x) * CHANNELS + c] = at(result, x, y, c) * (1 - share) + 0.5;
  return planted;
}

function brightness(raster: Raster, x: number, y: number): number {
  return 0.299 * at(raster, x, y, 0) + 0.587 * at(raster, x, y, 1) + 0.114 * at(raster, x, y, 2);
}

function at({ width, data }: Raster, x: number, y: number, channel: number): number {
  return data[(y * width + x) * CHANNELS + channel] as number;
}
