/** The geometry of the viewer, by tables and one property: whatever is done, the picture covers the stage or is centred on it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../helpers/seed.ts';

const { clamp, fit, fitScale, fullScale, isFit, panBy, resized, zoomTo } = await import(
  new URL('../../web/view.js', import.meta.url).href
);

const FRAME = { stage: { width: 800, height: 600 }, picture: { width: 1600, height: 800 }, pixelRatio: 1 };

const WHOLE = fit(FRAME);

test('the whole picture is as large as the stage allows, and centred', () => {
  assert.deepEqual(WHOLE, { scale: 0.5, x: 0, y: 100 });
  assert.equal(isFit(WHOLE, FRAME), true);
});

test('a tiny picture is not blown up beyond four screen pixels for one', () => {
  const tiny = { ...FRAME, picture: { width: 20, height: 10 } };
  assert.equal(fitScale(tiny), 4);
  assert.equal(fitScale({ ...tiny, pixelRatio: 2 }), 2);
});

test('full resolution is one picture pixel on one screen pixel', () => {
  assert.equal(fullScale(FRAME), 1);
  assert.equal(fullScale({ ...FRAME, pixelRatio: 3 }), 1 / 3);
});

test('zooming leaves the point under the pointer where it is', () => {
  const point = { x: 300, y: 320 };
  const under = ({ scale, x, y }: { scale: number; x: number; y: number }) => [
    (point.x - x) / scale,
    (point.y - y) / scale,
  ];
  const close = zoomTo(WHOLE, FRAME, 2, point);
  assert.deepEqual(under(close), under(WHOLE));
  assert.deepEqual(under(zoomTo(close, FRAME, 1.5, point)), under(WHOLE));
});

test('zooming out ends at the whole picture, zooming in at four screen pixels', () => {
  assert.deepEqual(zoomTo(WHOLE, FRAME, 0.01), WHOLE);
  assert.equal(zoomTo(WHOLE, FRAME, 99).scale, 4);
});

test('a whole picture stays whole when the stage changes, a close view keeps its middle', () => {
  const small = { ...FRAME, stage: { width: 400, height: 300 } };
  assert.deepEqual(resized(WHOLE, FRAME, small), fit(small));
  const close = zoomTo(WHOLE, FRAME, 2);
  const { scale, x, y } = resized(close, FRAME, small);
  assert.deepEqual([(200 - x) / scale, (150 - y) / scale], [800, 400]);
});

test('whatever is done, the picture covers the stage or is centred on it', (t) => {
  const random = seededRandom(t);
  let view = WHOLE;
  for (let i = 0; i < 2000; i++) {
    const point = { x: 800 * random(), y: 600 * random() };
    view =
      random() < 0.5
        ? zoomTo(view, FRAME, view.scale * (0.3 + 2 * random()), point)
        : panBy(view, FRAME, 900 * (random() - 0.5), 900 * (random() - 0.5));
    for (const [at, stage, picture] of [
      [view.x, 800, 1600 * view.scale],
      [view.y, 600, 800 * view.scale],
    ] as const) {
      if (picture <= stage) assert.equal(at, (stage - picture) / 2);
      else assert.ok(at <= 1e-9 && at + picture >= stage - 1e-9, JSON.stringify(view));
    }
    assert.deepEqual(clamp(view, FRAME), view);
  }
});
