/** Finds the distinct boards of a lecture in small grey frames: the fullest view of each, the lecturer out of the way. Pure. */

/** The size that frames are looked at in, whatever the video's. Cells of 8×8 tile it. */
export const FRAME = { width: 320, height: 176 } as const;

const CELL = 8;
const COLUMNS = FRAME.width / CELL;
const CELLS = COLUMNS * (FRAME.height / CELL);

/** From so many frames one is taken at most: people move, and the next frames show much the same. */
const WINDOW = 10;
/** Whoever covers a cell for less than half of the frames this far around is seen to be no part of the board. */
const SURROUNDINGS = 30;

/** In 1/255 of a cell's mean brightness: ink changes less, a person more. */
const COVERED_BY = 25;
const MOVED_BY = 12;
/** A frame with more of it hidden or moving is not taken. */
const MAX_COVERED = 0.35;
const MAX_MOVING = 0.1;
/** More of it changed at once: another camera or slide. */
const CUT = 0.5;
/** Mean detail of a cell, in 1/255, that counts as writing, or as other writing than before. */
const WRITING = 4;
/** Cells with news that make another board. */
const MIN_NEWS = 5;

/** Where a picture of the video is wanted. */
export interface PickedFrame {
  /** Which of the frames that were added, from 0. */
  readonly index: number;
}

interface Frame extends PickedFrame {
  /** Mean brightness of each cell. */
  readonly cells: Float32Array;
  /** How far each pixel is from its surroundings, blurred a little: strokes stand out, light does not. */
  readonly detail: Uint8Array;
  /** Share of the cells that differ from the frame before. */
  readonly moving: number;
}

interface Board extends PickedFrame {
  readonly detail: Uint8Array;
  /** Cells behind a person. */
  readonly hidden: Uint8Array;
}

/**
 * Takes the frames of a video one by one and keeps the boards. A board that shows all that another shows takes its place;
 * one that shows nothing new is dropped; so is one without writing.
 */
export class BoardPicker {
  readonly #boards: Board[] = [];
  /** The scene's frames that still matter: the last ones decided, and those that wait for what comes after them. */
  #scene: Frame[] = [];
  #decided = 0;
  #count = 0;

  /** @param grey FRAME.width × FRAME.height bytes, rows from the top */
  add(grey: Uint8Array): void {
    const before = this.#scene.at(-1);
    const cells = cellMeans(grey);
    const cut = before !== undefined && changed(before.cells, cells, COVERED_BY) > CUT;
    if (cut) this.#endScene();
    const moving = before === undefined || cut ? 0 : changed(before.cells, cells, MOVED_BY);
    this.#scene.push({ index: this.#count++, cells, detail: detailOf(grey), moving });
    if (this.#scene.length - this.#decided >= WINDOW + SURROUNDINGS) this.#decide(WINDOW);
  }

  /** The boards so far in the order of their frames; the frames end here. */
  finish(): PickedFrame[] {
    this.#endScene();
    return this.#boards.map(({ index }) => ({ index })).sort((a, b) => a.index - b.index);
  }

  #endScene(): void {
    while (this.#decided < this.#scene.length)
      this.#decide(Math.min(WINDOW, this.#scene.length - this.#decided));
    this.#scene = [];
    this.#decided = 0;
  }

  /** Looks for the best of the next `count` frames. */
  #decide(count: number): void {
    const usual = median(this.#scene.slice(Math.max(0, this.#decided - SURROUNDINGS)));
    let best: { frame: Frame; hidden: Uint8Array; flaws: number } | undefined;
    for (const frame of this.#scene.slice(this.#decided, this.#decided + count)) {
      const hidden = differing(usual, frame.cells, COVERED_BY);
      const covered = share(hidden);
      if (covered > MAX_COVERED || frame.moving > MAX_MOVING) continue;
      const flaws = covered + frame.moving;
      // Of equal frames the last: more may have been written by then.
      if (best === undefined || flaws <= best.flaws) best = { frame, hidden, flaws };
    }
    if (best !== undefined) this.#keep({ ...best.frame, hidden: grown(best.hidden) });
    this.#decided += count;
    const past = Math.max(0, this.#decided - SURROUNDINGS);
    this.#scene.splice(0, past);
    this.#decided -= past;
  }

  #keep({ index, detail, hidden }: Board): void {
    const board = { index, detail, hidden };
    const blank = { index, detail: new Uint8Array(detail.length), hidden: new Uint8Array(CELLS) };
    if (news(blank, board) < MIN_NEWS) return;
    if (this.#boards.some((other) => news(other, board) < MIN_NEWS)) return;
    const surpassed = this.#boards.filter((other) => news(board, other) < MIN_NEWS);
    for (const other of surpassed) this.#boards.splice(this.#boards.indexOf(other), 1);
    this.#boards.push(board);
  }
}

/** Cells in which `then` has writing that `first` does not show. */
function news(first: Board, then: Board): number {
  let count = 0;
  for (let cell = 0; cell < CELLS; cell++) {
    if (then.hidden[cell] === 1) continue;
    const unseen = first.hidden[cell] === 1;
    const from = Math.floor(cell / COLUMNS) * CELL * FRAME.width + (cell % COLUMNS) * CELL;
    let sum = 0;
    for (let y = 0; y < CELL; y++) {
      for (let at = from + y * FRAME.width, end = at + CELL; at < end; at++) {
        const had = unseen ? 0 : (first.detail[at] as number);
        sum += Math.max(0, (then.detail[at] as number) - had);
      }
    }
    if (sum / CELL ** 2 > WRITING) count++;
  }
  return count;
}

function cellMeans(grey: Uint8Array): Float32Array {
  const means = new Float32Array(CELLS);
  for (const [at, value] of grey.entries()) {
    const cell = Math.floor(at / FRAME.width / CELL) * COLUMNS + Math.floor((at % FRAME.width) / CELL);
    means[cell] = (means[cell] as number) + value / CELL ** 2;
  }
  return means;
}

/** Which cells differ by more than `limit`, the light of the whole left aside: cameras adjust themselves. */
function differing(one: Float32Array, two: Float32Array, limit: number): Uint8Array {
  const differences = one.map((value, cell) => (two[cell] as number) - value);
  const light = middle(differences.slice().sort());
  return Uint8Array.from(differences, (value) => (Math.abs(value - light) > limit ? 1 : 0));
}

function changed(one: Float32Array, two: Float32Array, limit: number): number {
  return share(differing(one, two, limit));
}

function share(cells: Uint8Array): number {
  return cells.reduce((sum, value) => sum + value, 0) / CELLS;
}

/** With the cells beside them: a person's edge fills less than a cell. */
function grown(cells: Uint8Array): Uint8Array {
  return cells.map((_, cell) => {
    const column = cell % COLUMNS;
    for (const row of [-COLUMNS, 0, COLUMNS])
      for (const step of [-1, 0, 1]) {
        const inRow = column + step >= 0 && column + step < COLUMNS;
        if (inRow && cells[cell + row + step] === 1) return 1;
      }
    return 0;
  });
}

/** The median of each cell over frames. */
function median(frames: readonly Frame[]): Float32Array {
  const values = new Float32Array(frames.length);
  return Float32Array.from({ length: CELLS }, (_, cell) => {
    for (const [i, { cells }] of frames.entries()) values[i] = cells[cell] as number;
    return middle(values.sort());
  });
}

function middle(sorted: Float32Array): number {
  return sorted[sorted.length >> 1] ?? 0;
}

const SURROUNDING_RADIUS = 6;
/** Cameras shake by a pixel, and a stroke seen half a pixel further is the same stroke. */
const SHAKE_RADIUS = 1;

function detailOf(grey: Uint8Array): Uint8Array {
  const around = boxMean(grey, SURROUNDING_RADIUS);
  return boxMean(
    grey.map((value, at) => Math.abs(value - (around[at] as number))),
    SHAKE_RADIUS,
  );
}

/** The mean of the square of `radius` around each pixel; edges are repeated. */
function boxMean(grey: Uint8Array, radius: number): Uint8Array {
  const { width, height } = FRAME;
  return alongEach(alongEach(grey, height, width, width, 1, radius), width, height, 1, width, radius);
}

/** Running means along `count` lines of `length` values that lie `step` apart, the lines `next` apart. */
function alongEach(
  from: Uint8Array,
  count: number,
  length: number,
  next: number,
  step: number,
  radius: number,
): Uint8Array {
  const to = new Uint8Array(from.length);
  const size = 2 * radius + 1;
  for (let line = 0; line < count; line++) {
    const at = (i: number): number =>
      from[line * next + Math.min(length - 1, Math.max(0, i)) * step] as number;
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += at(i);
    for (let i = 0; i < length; i++) {
      to[line * next + i * step] = sum / size + 0.5;
      sum += at(i + radius + 1) - at(i - radius);
    }
  }
  return to;
}
