/** The look `clean`: light evened out, the board plain, ink and chalk in their colours. Only ever adds contrast. Pure. */
import { CHANNELS, type Raster } from './pixels.ts';

/** Side of a cell that the board's colour is taken from, in pixels of the photo; smears of this size and more go. */
const CELL = 16;
/** Of a cell's pixels, sorted by brightness from the ink's side, the board is the one at this share. */
const BOARD_QUANTILE = 0.7;
/** Pixels this near to it, in 1/255, are averaged to the cell's board colour. */
const BOARD_RANGE = 10;
/** What an even white board is made to look like; a dark one keeps its own mean colour. */
const WHITE = 242;
/** Dark light is lifted so far at most: beyond it noise would be all that is seen. */
const MOST_GAIN = 2.2;
/** Everything stands out a little more than in the photo. */
const LEAST_GAIN = 1.12;
/** What is darker than this share of the board is no board in shadow but something else, and stays dark. */
const LEAST_LIGHT = 0.45;

/** The board's colour in each cell: three values a cell, row by row. */
interface BoardMap {
  readonly columns: number;
  readonly rows: number;
  readonly cell: number;
  readonly data: Float32Array;
}

/**
 * Changes `picture` in place. Every pixel's difference from the board around it is kept or made larger, in all channels
 * alike: grey edges stay grey, a faint stroke never becomes fainter, and what is light on dark stays so.
 * @param scale of the picture to its photo
 */
export function cleanBoard(picture: Raster, scale: number): void {
  const { isLight, map } = findBoard(picture, CELL * scale);
  const typical = medianColour(map);
  const target = isLight ? [WHITE, WHITE, WHITE] : typical;
  const least = typical.map((value) => LEAST_LIGHT * value);
  const { width, height, data } = picture;
  const row = new Float32Array((map.columns + 1) * CHANNELS);
  for (let y = 0, at = 0; y < height; y++) {
    blendRows(map, y, row);
    for (let x = 0; x < width; x++) {
      const place = Math.max(0, Math.min(map.columns - 1, (x + 0.5) / map.cell - 0.5));
      const first = Math.floor(place) * CHANNELS;
      const share = place - Math.floor(place);
      const boardAt = (channel: number): number => {
        const left = row[first + channel] as number;
        const here = left + share * ((row[first + CHANNELS + channel] as number) - left);
        return isLight ? Math.max(here, least[channel] as number) : here;
      };
      const [r, g, b] = [boardAt(0), boardAt(1), boardAt(2)];
      // One gain for all channels: colours of ink keep their hue.
      const gain = isLight
        ? Math.min(MOST_GAIN, Math.max(LEAST_GAIN, WHITE / brightness(r, g, b)))
        : LEAST_GAIN;
      data[at] = clamp((target[0] as number) + gain * ((data[at] as number) - r));
      data[at + 1] = clamp((target[1] as number) + gain * ((data[at + 1] as number) - g));
      data[at + 2] = clamp((target[2] as number) + gain * ((data[at + 2] as number) - b));
      at += CHANNELS;
    }
  }
}

/** Whether the board is lighter than its ink, and its colour everywhere. */
function findBoard(picture: Raster, cell: number): { isLight: boolean; map: BoardMap } {
  const columns = Math.max(1, Math.round(picture.width / cell));
  const rows = Math.max(1, Math.round(picture.height / cell));
  const isLight = medianBrightness(picture) > 127;
  const data = new Float32Array(columns * rows * CHANNELS);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const colour = boardOfCell(picture, cell, column, row, isLight);
      data.set(colour, (row * columns + column) * CHANNELS);
    }
  }
  // A cell full of ink looks like its neighbours; then all of it is smooth, so that no cell can be seen.
  const filled = smoothCells(
    smoothCells(fillInk(data, columns, rows, isLight), columns, rows),
    columns,
    rows,
  );
  return { isLight, map: { columns, rows, cell, data: filled } };
}

/** Brightness of every 997th pixel, the middle one. */
function medianBrightness({ data }: Raster): number {
  const values: number[] = [];
  for (let at = 0; at + 2 < data.length; at += 997 * CHANNELS) {
    values.push(brightness(data[at] as number, data[at + 1] as number, data[at + 2] as number));
  }
  values.sort((a, b) => a - b);
  return values[values.length >> 1] as number;
}

function boardOfCell(picture: Raster, cell: number, column: number, row: number, isLight: boolean): number[] {
  const { width, height, data } = picture;
  const [left, top] = [column * cell, row * cell];
  const [right, bottom] = [Math.min(width, left + cell), Math.min(height, top + cell)];
  const counts = new Uint32Array(256);
  let all = 0;
  forEachPixel((at) => {
    const bin = Math.round(brightness(data[at] as number, data[at + 1] as number, data[at + 2] as number));
    counts[bin] = (counts[bin] as number) + 1;
    all++;
  });
  let [value, below] = [0, counts[0] as number];
  const wanted = (isLight ? BOARD_QUANTILE : 1 - BOARD_QUANTILE) * all;
  while (below < wanted && value < 255) below += counts[++value] as number;
  const sums = [0, 0, 0];
  let near = 0;
  forEachPixel((at) => {
    const [r, g, b] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    if (Math.abs(brightness(r, g, b) - value) > BOARD_RANGE) return;
    sums[0] = (sums[0] as number) + r;
    sums[1] = (sums[1] as number) + g;
    sums[2] = (sums[2] as number) + b;
    near++;
  });
  return sums.map((sum) => sum / Math.max(1, near));

  function forEachPixel(visit: (at: number) => void): void {
    for (let y = top; y < bottom; y += 2) {
      for (let x = left; x < right; x += 2) visit((y * width + x) * CHANNELS);
    }
  }
}

/** Each cell becomes the third of its 3×3 neighbours from the board's side, by brightness: ink covers few of them. */
function fillInk(data: Float32Array, columns: number, rows: number, isLight: boolean): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const near = neighbours(columns, rows, column, row).sort((a, b) => {
        const [one, other] = [brightnessAt(data, a), brightnessAt(data, b)];
        return isLight ? other - one : one - other;
      });
      // Not the first: a glare must not win either.
      const chosen = near[Math.min(2, near.length - 1)] as number;
      result.set(data.subarray(chosen, chosen + CHANNELS), (row * columns + column) * CHANNELS);
    }
  }
  return result;
}

function smoothCells(data: Float32Array, columns: number, rows: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const near = neighbours(columns, rows, column, row);
      for (let channel = 0; channel < CHANNELS; channel++) {
        const sum = near.reduce((all, at) => all + (data[at + channel] as number), 0);
        result[(row * columns + column) * CHANNELS + channel] = sum / near.length;
      }
    }
  }
  return result;
}

/** Where the cells around one, and itself, begin. */
function neighbours(columns: number, rows: number, column: number, row: number): number[] {
  const found: number[] = [];
  for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
      found.push((y * columns + x) * CHANNELS);
    }
  }
  return found;
}

/** The board's colours along the picture's row `y`: between the two nearest rows of cells, one cell more at the end. */
function blendRows({ columns, rows, cell, data }: BoardMap, y: number, row: Float32Array): void {
  const place = Math.max(0, Math.min(rows - 1, (y + 0.5) / cell - 0.5));
  const upper = Math.floor(place);
  const lower = Math.min(rows - 1, upper + 1);
  const share = place - upper;
  for (let at = 0; at < columns * CHANNELS; at++) {
    const above = data[upper * columns * CHANNELS + at] as number;
    row[at] = above + share * ((data[lower * columns * CHANNELS + at] as number) - above);
  }
  for (let channel = 0; channel < CHANNELS; channel++) {
    row[columns * CHANNELS + channel] = row[(columns - 1) * CHANNELS + channel] as number;
  }
}

function medianColour({ data }: BoardMap): number[] {
  const order = Array.from({ length: data.length / CHANNELS }, (_, cell) => cell * CHANNELS).sort(
    (a, b) => brightnessAt(data, a) - brightnessAt(data, b),
  );
  const middle = order[order.length >> 1] as number;
  return [...data.subarray(middle, middle + CHANNELS)];
}

function brightnessAt(data: Float32Array, at: number): number {
  return brightness(data[at] as number, data[at + 1] as number, data[at + 2] as number);
}

/** BT.601. */
function brightness(r: number, g: number, b: number): number {
  return 0.299 * r + 0.587 * g + 0.114 * b;
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}
