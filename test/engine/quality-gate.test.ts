/** The quality gate: right results pass untouched, planted errors are caught and only they are taken back. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blendToBase } from '../../src/engine/base-blend.ts';
import { enlargeBicubic } from '../../src/engine/bicubic.ts';
import {
  CHANNELS,
  createRaster,
  cutOut,
  expandWithin,
  paste,
  type Raster,
  scaleRect,
} from '../../src/engine/pixels.ts';
import {
  inspectWindow,
  type Quality,
  verdictOf,
  type WindowFindings,
} from '../../src/engine/quality-gate.ts';
import { randomFrom } from '../helpers/seed.ts';
import {
  type BoardLook,
  blur,
  drawPage,
  LETTERS,
  lines,
  type Mark,
  mapBytes,
  photograph,
  sharpen,
  writePage,
} from './drawn-board.ts';

const SEED = 20261123;
const WIDTH = 200;
const HEIGHT = 150;
const PLAIN: BoardLook = { dark: false, stroke: 1.4, strength: 1 };

/** Judges a result in windows, as the engine does, and puts the repaired windows together. */
function judge(
  photo: Raster,
  result: Raster,
  scale: number,
  side = 128,
): { quality: Quality; shown: Raster; findings: WindowFindings[] } {
  const shown = { ...result, data: result.data.slice() };
  const findings: WindowFindings[] = [];
  for (let top = 0; top < photo.height; top += side) {
    for (let left = 0; left < photo.width; left += side) {
      const width = Math.min(side, photo.width - left);
      const height = Math.min(side, photo.height - top);
      const around = expandWithin({ left, top, width, height }, 10, photo.width, photo.height);
      const window = {
        photo: cutOut(photo, around),
        result: cutOut(result, scaleRect(around, scale)),
        scale,
        core: { left: left - around.left, top: top - around.top, width, height },
      };
      const found = inspectWindow(window);
      findings.push(found);
      const repaired = blendToBase(window, found);
      if (repaired !== null) paste(shown, repaired, left * scale, top * scale);
    }
  }
  return { quality: verdictOf(findings), shown, findings };
}

/** A page, its clean truth and a photo of it. */
function board(options: {
  scale: number;
  look: BoardLook;
  xHeight: number;
  sigma: number;
  noise: number;
  width?: number;
  height?: number;
}): {
  marks: Mark[];
  truth: Raster;
  photo: Raster;
  draw: (marks: readonly Mark[]) => Raster;
} {
  const { scale, look, xHeight, sigma, noise, width = WIDTH, height = HEIGHT } = options;
  const random = randomFrom(SEED);
  const marks = writePage(width, height, xHeight, random);
  // What a network gives is a little softer than what was drawn.
  const draw = (which: readonly Mark[]): Raster =>
    blur(drawPage(width, height, scale, which, look), 0.15 * scale);
  const truth = drawPage(width, height, scale, marks, look);
  return { marks, truth, photo: photograph(truth, scale, sigma, noise, random), draw };
}

/** The letter nearest to a point, of a kind if one is asked for. */
function markNear(marks: readonly Mark[], x: number, y: number, letter?: string): Mark {
  const able = marks.filter((mark) => letter === undefined || mark.letter === letter);
  const [nearest] = able.sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y));
  assert.ok(nearest, `no letter ${letter} with seed ${SEED}`);
  return nearest;
}

function replaced(marks: readonly Mark[], mark: Mark, strokes: Mark['strokes']): Mark[] {
  return marks.map((each) => (each === mark ? { ...mark, strokes } : each));
}

const looks: [string, BoardLook][] = [
  ['white board', { dark: false, stroke: 1.4, strength: 1 }],
  ['blackboard', { dark: true, stroke: 1.4, strength: 1 }],
];

for (const scale of [2, 4]) {
  for (const [name, look] of looks) {
    describe(`x${scale}, ${name}, seed ${SEED}`, () => {
      for (const [xHeight, sigma, noise] of [
        [6, 0.5, 2],
        [9, 0.7, 10],
        [12, 1.1, 5],
      ] as const) {
        test(`right results pass untouched: x-height ${xHeight}, blur ${sigma}, noise ${noise}/255`, () => {
          const { truth, photo } = board({ scale, look, xHeight, sigma, noise });
          const rights = {
            truth,
            bicubic: enlargeBicubic(photo, scale),
            sharpened: sharpen(truth, scale / 2, 0.8),
            soft: blur(truth, scale * 0.4),
            // The network at half strength: half of the noise is still there.
            half: mapBytes(truth, (value, i) => (value + (enlargedOnce(photo, scale)[i] as number)) / 2),
          };
          for (const [kind, result] of Object.entries(rights)) {
            const { quality, shown } = judge(photo, result, scale);
            assert.deepEqual(
              [quality.verdict, quality.redBlocks, quality.reasons],
              ['accepted', 0, []],
              kind,
            );
            assert.deepEqual(shown.data, result.data, kind);
            assert.ok(quality.consistency > 35, `${kind}: ${quality.consistency} dB`);
            assert.ok(Math.hypot(quality.shift.x, quality.shift.y) < 0.03, kind);
          }
        });
      }

      for (const xHeight of [6, 9, 12]) {
        const { marks, photo, draw } = board({ scale, look, xHeight, sigma: 0.6, noise: 3 });
        const e = markNear(marks, WIDTH / 3, HEIGHT / 3, 'e');
        const h = markNear(marks, WIDTH / 2, HEIGHT / 2, 'h');
        const dot = lines('.95,-.5 1.1,-.5');
        const line = lines('-.2,.6 1.1,.5');
        const plants: [string, Mark, Mark['strokes']][] = [
          ['an e turned into a c', e, LETTERS.c ?? []],
          ['an h turned into a b', h, LETTERS.b ?? []],
          ['a wrong glyph', h, LETTERS.x ?? []],
          ['an erased letter', e, []],
          ['an erased stroke', e, e.strokes.slice(0, 1)],
          ['an added stroke', h, [...h.strokes, ...line]],
        ];
        // On a page full of 6-pixel letters the noise cannot be told from ink, and a dot of 2 pixels passes.
        if (xHeight > 6) plants.push(['an added dot', e, [...e.strokes, ...dot]]);
        for (const [what, mark, strokes] of plants) {
          test(`${what} is taken back, x-height ${xHeight}`, () => {
            const result = draw(replaced(marks, mark, strokes));
            const { quality, shown } = judge(photo, result, scale);
            assert.equal(quality.verdict, 'softened', `${what}: ${JSON.stringify(quality)}`);
            assertOnlyNear(result, shown, mark, scale);
          });
        }
      }

      test('a tint of 3 % is caught, of all channels or of one', () => {
        const { photo, draw, marks } = board({ scale, look, xHeight: 9, sigma: 0.6, noise: 3 });
        const right = draw(marks);
        const tinted = {
          brighter: mapBytes(right, (value) => value * 1.03),
          darker: mapBytes(right, (value) => value * 0.97),
          red: mapBytes(right, (value, i) => (i % CHANNELS === 0 ? value - 0.03 * 255 : value)),
          blue: mapBytes(right, (value, i) => (i % CHANNELS === 2 ? value + 0.03 * 255 : value)),
        };
        for (const [kind, result] of Object.entries(tinted)) {
          const { quality } = judge(photo, result, scale);
          assert.equal(quality.verdict, 'fallback', `${kind}: ${JSON.stringify(quality)}`);
        }
      });

      for (const [kind, shift] of [
        ['half a photo pixel', 0.5],
        ['half a result pixel', 0.5 / scale],
      ] as const) {
        test(`a shift of the whole by ${kind} is caught`, () => {
          const { photo, draw, marks } = board({ scale, look, xHeight: 9, sigma: 0.6, noise: 3 });
          for (const [dx, dy] of [
            [shift, 0],
            [0, -shift],
          ] as const) {
            const moved = draw(marks.map((mark) => ({ ...mark, x: mark.x + dx, y: mark.y + dy })));
            const { quality } = judge(photo, moved, scale);
            assert.equal(quality.verdict, 'fallback', JSON.stringify(quality));
            assert.ok(Math.abs(quality.shift.x - dx) < 0.2 * shift, `x ${quality.shift.x} for ${dx}`);
            assert.ok(Math.abs(quality.shift.y - dy) < 0.2 * shift, `y ${quality.shift.y} for ${dy}`);
          }
        });
      }

      test('another page, and no writing at all, fall back', () => {
        const { photo, draw, marks } = board({ scale, look, xHeight: 9, sigma: 0.6, noise: 3 });
        const other = writePage(WIDTH, HEIGHT, 9, randomFrom(SEED + 1));
        assert.equal(judge(photo, draw(other), scale).quality.verdict, 'fallback');
        assert.equal(judge(photo, draw([]), scale).quality.verdict, 'fallback');
        const misread = marks.map((mark, i) => (i % 3 === 0 ? { ...mark, strokes: LETTERS.x ?? [] } : mark));
        assert.equal(judge(photo, draw(misread), scale).quality.verdict, 'fallback');
      });
    });
  }
}

test('one shifted window goes back to the base, the others stay', () => {
  const scale = 2;
  const { photo, draw, marks } = board({ scale, look: PLAIN, xHeight: 9, sigma: 0.6, noise: 3 });
  const result = draw(marks);
  const moved = draw(marks.map((mark) => ({ ...mark, x: mark.x + 0.3 })));
  const corner = { left: 0, top: 0, width: 128, height: 128 };
  paste(result, cutOut(moved, corner), 0, 0);
  const { quality, shown, findings } = judge(photo, result, scale, 64);
  assert.deepEqual(
    findings.map((window) => window.replaceAll),
    findings.map((_, i) => i === 0),
  );
  assert.equal(quality.verdict, 'softened');
  assert.deepEqual(cutOut(shown, corner).data, cutOut(enlargeBicubic(photo, scale), corner).data);
});

test('a repair fades on in the neighbouring window', () => {
  const scale = 2;
  const { photo, draw, marks } = board({ scale, look: PLAIN, xHeight: 9, sigma: 0.6, noise: 3 });
  // A stroke that ends a few pixels left of the border between two windows at x = 128.
  const stroke = { letter: 'l', x: 121, y: 60, size: 9, strokes: LETTERS.l ?? [] };
  const result = draw([...marks, stroke]);
  const { shown } = judge(photo, result, scale);
  const right = { left: 2 * 128, top: 2 * 56, width: 8, height: 2 * 12 };
  assert.notDeepEqual(cutOut(shown, right).data, cutOut(result, right).data);
});

test('every size is judged, from one pixel up', () => {
  const random = randomFrom(SEED);
  const sizes = Array.from({ length: 60 }, () => [
    1 + Math.floor(45 * random()),
    1 + Math.floor(45 * random()),
  ]);
  for (const [width = 1, height = 1] of [[1, 1], [1, 40], [40, 1], [2, 3], ...sizes]) {
    for (const scale of [2, 4]) {
      const photo = mapBytes(createRaster(width, height), () => 255 * random());
      const right = judge(photo, enlargeBicubic(photo, scale), scale, 16);
      assert.equal(
        right.quality.verdict,
        'accepted',
        `${width}x${height} x${scale}, seed ${SEED}: ${JSON.stringify(right.quality)}`,
      );
      const noise = mapBytes(createRaster(width * scale, height * scale), () => 255 * random());
      const { quality, shown } = judge(photo, noise, scale, 16);
      const { consistency, tint, shift } = quality;
      assert.ok([consistency, tint, shift.x, shift.y, quality.noise].every(Number.isFinite));
      assert.ok(quality.redBlocks <= quality.blocks && quality.blocks >= 1);
      assert.deepEqual([shown.width, shown.height], [width * scale, height * scale]);
    }
  }
});

test('an empty board is accepted, and a stroke invented on it is taken back', () => {
  const blank = mapBytes(createRaster(100, 80), () => 200);
  const right = enlargeBicubic(blank, 2);
  const { quality } = judge(blank, right, 2);
  assert.deepEqual([quality.verdict, quality.consistency, quality.noise], ['accepted', 99, 0]);
  const invented = { ...right, data: right.data.slice() };
  paste(invented, createRaster(3, 20), 90, 60);
  const repaired = judge(blank, invented, 2);
  assert.equal(repaired.quality.verdict, 'softened');
  assert.deepEqual(repaired.shown.data, right.data);
});

const pages: [string, () => Raster][] = [
  ['an empty board', () => mapBytes(createRaster(800, 600), () => 170)],
  [
    'a small crop',
    () => board({ scale: 2, look: PLAIN, xHeight: 9, sigma: 0.6, noise: 3, width: 60, height: 40 }).photo,
  ],
  [
    'faint stripes in strong noise',
    () => {
      const random = randomFrom(SEED);
      return mapBytes(
        createRaster(300, 200),
        (_, i) => 150 + 7 * ((i / CHANNELS) & 2) + 60 * (random() - 0.5),
      );
    },
  ],
];

for (const [name, draw] of pages) {
  test(`${name}: a result that is wrong everywhere falls back, and its figures say so`, () => {
    const photo = draw();
    const right = enlargeBicubic(photo, 2);
    const random = randomFrom(SEED);
    for (const [kind, tint, result] of [
      ['black', -100, mapBytes(right, () => 0)],
      ['noise', 0, mapBytes(right, () => 255 * random())],
      ['+8', 8, mapBytes(right, (value) => value + 8)],
      ['+60', 60, mapBytes(right, (value) => value + 60)],
    ] as const) {
      const { quality } = judge(photo, result, 2, 512);
      const told = `${kind}: ${JSON.stringify(quality)}`;
      assert.equal(quality.verdict, 'fallback', told);
      if (tint !== 0) assert.ok(quality.tint / tint > 0.6, told);
      const most = 20 * Math.log10(255 / Math.max(6, 0.6 * Math.abs(tint)));
      assert.ok(quality.consistency < most, told);
    }
    assert.equal(judge(photo, right, 2, 512).quality.verdict, 'accepted');
  });
}

/** Bicubic of the same photo, kept: it is asked for byte by byte. */
const enlarged = new Map<Raster, Uint8Array>();
function enlargedOnce(photo: Raster, scale: number): Uint8Array {
  const known = enlarged.get(photo);
  if (known !== undefined) return known;
  const { data } = enlargeBicubic(photo, scale);
  enlarged.set(photo, data);
  return data;
}

/** Something changed at the mark, and nothing further from it than two blocks and the feather. */
function assertOnlyNear(result: Raster, shown: Raster, mark: Mark, scale: number): void {
  const reach = 16 + 8 / scale;
  let near = 0;
  for (let i = 0; i < shown.data.length; i++) {
    if (shown.data[i] === result.data[i]) continue;
    const pixel = Math.floor(i / CHANNELS);
    const x = (pixel % shown.width) / scale;
    const y = Math.floor(pixel / shown.width) / scale;
    const outside = Math.max(
      mark.x - x,
      x - mark.x - mark.size,
      mark.y - mark.size - y,
      y - mark.y - mark.size,
    );
    assert.ok(outside < reach, `changed ${outside.toFixed(1)} photo pixels away from the mark`);
    near++;
  }
  assert.ok(near > 0);
}
