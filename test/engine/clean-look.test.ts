/** The clean look: an even board, every stroke at least as strong as before, colours kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanBoard } from '../../src/engine/clean-look.ts';
import type { Raster } from '../../src/engine/pixels.ts';
import { pixelAt } from '../helpers/pictures.ts';

const [WIDTH, HEIGHT] = [480, 320];
const STROKES = [
  { x: 60, colour: [30, 30, 40] },
  { x: 140, colour: [170, 40, 40] },
  { x: 220, colour: [40, 60, 160] },
] as const;
/** The faintest: a difference of 6 from the board. */
const FAINT_X = 300;
const PEN = 4;

/** Vertical strokes on a board under a gradient with a glare; `light`: ink on white, else chalk on green. */
function drawLitBoard(light: boolean): Raster {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++, at += 3) {
      const glare = 40 * Math.exp(-((x - 400) ** 2 + (y - 80) ** 2) / 9000);
      const shade = 0.55 + (0.4 * x) / WIDTH - (0.1 * y) / HEIGHT;
      const board = light ? [235, 236, 230] : [50, 90, 70];
      const stroke = STROKES.find((one) => x >= one.x && x < one.x + PEN);
      const isFaint = x >= FAINT_X && x < FAINT_X + PEN;
      for (let channel = 0; channel < 3; channel++) {
        const plain = (board[channel] as number) * shade + glare;
        const ink =
          (light ? (stroke?.colour[channel] ?? 0) : 255 - (stroke?.colour[channel] ?? 0)) * shade + glare;
        const faint = plain + (light ? -6 : 6);
        data[at + channel] = Math.max(0, Math.min(255, Math.round(stroke ? ink : isFaint ? faint : plain)));
      }
    }
  }
  return { width: WIDTH, height: HEIGHT, data };
}

const luma = ([r = 0, g = 0, b = 0]: number[]): number => 0.299 * r + 0.587 * g + 0.114 * b;
const contrast = (picture: Raster, x: number, y: number): number =>
  luma(pixelAt(picture, x + PEN / 2, y)) - luma(pixelAt(picture, x - 6, y));

for (const light of [true, false]) {
  test(`no stroke loses contrast, the faintest neither (${light ? 'ink on white' : 'chalk on green'})`, () => {
    const before = drawLitBoard(light);
    const after = { ...before, data: before.data.slice() };
    cleanBoard(after, 2);
    for (const x of [...STROKES.map((stroke) => stroke.x), FAINT_X]) {
      for (const y of [20, 80, 160, 240, 300]) {
        const [was, is] = [contrast(before, x, y), contrast(after, x, y)];
        assert.equal(Math.sign(is), Math.sign(was), 'light stays light, dark stays dark');
        assert.ok(Math.abs(is) >= Math.min(Math.abs(was), 150) - 1, `${was} became ${is} at ${x}, ${y}`);
      }
    }
  });

  test(`the board becomes even (${light ? 'white' : 'green'})`, () => {
    const picture = drawLitBoard(light);
    const spread = (): number => {
      const values = [20, 100, 180, 260, 340, 440].flatMap((x) =>
        [20, 100, 200, 300].map((y) => luma(pixelAt(picture, x, y))),
      );
      return Math.max(...values) - Math.min(...values);
    };
    const before = spread();
    cleanBoard(picture, 2);
    assert.ok(spread() < before / 3, `${before} became ${spread()}`);
  });
}

test('ink keeps its colour', () => {
  const picture = drawLitBoard(true);
  cleanBoard(picture, 2);
  const [, red, blue] = STROKES.map(({ x }) => pixelAt(picture, x + 2, 160));
  assert.ok(red && (red[0] as number) > (red[2] as number) + 60, `${red}`);
  assert.ok(blue && (blue[2] as number) > (blue[0] as number) + 60, `${blue}`);
});

test('a picture smaller than a cell is cleaned too', () => {
  const tiny = { width: 5, height: 3, data: new Uint8Array(45).fill(120) };
  cleanBoard(tiny, 4);
  assert.ok(tiny.data.every((value) => value === tiny.data[0]));
});
