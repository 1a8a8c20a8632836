/** The before/after viewer in a real browser: moved and zoomed by keyboard, mouse, wheel, two fingers and buttons. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { boardFile, comparedCard, eventually, openPage, pick } from './browser.ts';
import { NO_BROWSER } from './chromium.ts';

const options = { skip: NO_BROWSER };

interface Viewer {
  readonly page: Page;
  readonly stage: Locator;
  readonly slider: Locator;
  readonly box: { x: number; y: number; width: number; height: number };
}

/** A page with one result, 1280 × 800 pixels, on the screen. */
async function openViewer(t: TestContext, touch = false): Promise<Viewer> {
  const phone = {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
    deviceScaleFactor: 2,
  };
  const { page } = await openPage(t, { reducedMotion: 'reduce', ...(touch ? phone : {}) });
  await pick(page, await boardFile('board.jpg', 640));
  const card = await comparedCard(page);
  const stage = card.locator('.compare-stage');
  await stage.scrollIntoViewIfNeeded();
  // The page has come to rest: its wheel is no longer the page's.
  await page.waitForTimeout(400);
  const box = await stage.boundingBox();
  assert.ok(box);
  return { page, stage, slider: page.getByRole('slider', { name: 'Divider between before and after' }), box };
}

async function splitOf({ stage }: Viewer): Promise<number> {
  const style = await stage.locator('..').getAttribute('style');
  return Number(/--split: ([\d.]+)/.exec(style ?? '')?.[1]);
}

async function zoomOf({ stage }: Viewer): Promise<number> {
  return Number.parseInt((await stage.locator('..').locator('output').textContent()) ?? '', 10);
}

/** Where the picture's corner lies on the stage, in whole pixels. */
async function cornerOf({ stage }: Viewer): Promise<{ x: number; y: number }> {
  const style = (await stage.locator('img').first().getAttribute('style')) ?? '';
  const [, x, y] = /translate\((-?[\d.]+)px, (-?[\d.]+)px\)/.exec(style) ?? [];
  return { x: Math.round(Number(x)), y: Math.round(Number(y)) };
}

test('the divider is a slider for the keyboard and for screen readers', options, async (t) => {
  const viewer = await openViewer(t);
  const { slider } = viewer;
  assert.equal(await slider.getAttribute('aria-valuetext'), '50% shows the photo before');
  await slider.press('ArrowRight');
  assert.equal(await splitOf(viewer), 0.52);
  await slider.press('End');
  assert.equal(await splitOf(viewer), 1);
  await slider.press('Home');
  assert.equal(await splitOf(viewer), 0);
  assert.equal(await slider.getAttribute('aria-valuetext'), '0% shows the photo before');
});

test('the divider follows the mouse, and what is seen changes with it', options, async (t) => {
  const viewer = await openViewer(t);
  const { page, stage, box } = viewer;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  await eventually(async () => Math.round((await splitOf(viewer)) * 100), 80);
  const clip = await stage
    .locator('.compare-after')
    .evaluate((layer) => layer.ownerDocument.defaultView?.getComputedStyle(layer).clipPath);
  assert.match(String(clip), /^inset\(0px 0px 0px (80|79\.9\d*)%\)$/);
});

test('the wheel zooms to single pixels under the pointer, and out again', options, async (t) => {
  const viewer = await openViewer(t);
  const { page, box } = viewer;
  const whole = await zoomOf(viewer);
  assert.ok(whole < 100, `${whole} %`);
  await page.mouse.move(box.x + 12, box.y + 12);
  for (let i = 0; i < 20; i++) await page.mouse.wheel(0, -120);
  await eventually(() => zoomOf(viewer), 400);
  const corner = await cornerOf(viewer);
  // What lay 12 pixels from the picture's corner still lies under the pointer.
  const expected = Math.round(12 - (12 * 400) / whole);
  assert.ok(Math.abs(corner.x - expected) <= 5, JSON.stringify({ corner, expected }));
  for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 120);
  await eventually(() => zoomOf(viewer), whole);
});

test(
  'a wheel that scrolls the page does not begin to zoom, and the page scrolls on at the whole picture',
  options,
  async (t) => {
    const viewer = await openViewer(t);
    const { page, box } = viewer;
    const whole = await zoomOf(viewer);
    const before = Number(await page.evaluate('scrollY'));
    await page.mouse.move(box.x + 50, box.y + 50);
    await page.mouse.wheel(0, -200);
    await eventually(async () => (await zoomOf(viewer)) > whole, true);
    await page.keyboard.press('Tab');
    await viewer.stage.press('0');
    await page.mouse.wheel(0, 200);
    await eventually(async () => Number(await page.evaluate('scrollY')) > before, true);
    assert.equal(await zoomOf(viewer), whole);
  },
);

test('plus, minus, 0, 1 and the arrows zoom and pan', options, async (t) => {
  const viewer = await openViewer(t);
  const { stage } = viewer;
  const whole = await zoomOf(viewer);
  await stage.press('1');
  assert.equal(await zoomOf(viewer), 100);
  const { x } = await cornerOf(viewer);
  await stage.press('ArrowRight');
  assert.equal((await cornerOf(viewer)).x, x - 60);
  await stage.press('+');
  assert.equal(await zoomOf(viewer), 125);
  await stage.press('-');
  assert.equal(await zoomOf(viewer), 100);
  await stage.press('0');
  assert.equal(await zoomOf(viewer), whole);
});

test(
  'a zoomed picture is dragged, but never off the stage; the divider stays where it is',
  options,
  async (t) => {
    const viewer = await openViewer(t);
    const { page, stage, box } = viewer;
    await stage.press('1');
    const from = await cornerOf(viewer);
    await page.mouse.move(box.x + 100, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + 130, box.y + 110, { steps: 3 });
    await eventually(() => cornerOf(viewer), { x: from.x + 30, y: from.y + 10 });
    await page.mouse.move(box.x + 2000, box.y + 2000, { steps: 3 });
    await page.mouse.up();
    await eventually(() => cornerOf(viewer), { x: 0, y: 0 });
    assert.equal(await splitOf(viewer), 0.5);
  },
);

test('two fingers zoom and one moves the divider, on a phone', options, async (t) => {
  const viewer = await openViewer(t, true);
  const { page, box } = viewer;
  const devtools = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) =>
    devtools.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([x, y], id) => ({ id, x: box.x + x, y: box.y + y })),
    });
  const middle = box.height / 2;
  await touch('touchStart', [box.width / 2, middle]);
  await touch('touchMove', [box.width * 0.4, middle]);
  await touch('touchMove', [box.width * 0.25, middle]);
  await touch('touchEnd');
  await eventually(async () => Math.round((await splitOf(viewer)) * 100), 25);

  const whole = await zoomOf(viewer);
  await touch('touchStart', [box.width * 0.45, middle], [box.width * 0.55, middle]);
  await touch('touchMove', [box.width * 0.4, middle], [box.width * 0.6, middle]);
  await touch('touchMove', [box.width * 0.3, middle], [box.width * 0.7, middle]);
  await touch('touchEnd');
  // Fingers four times as far apart: four times as large, up to the limit.
  await eventually(async () => Math.abs((await zoomOf(viewer)) - 4 * whole) <= 2, true);
  assert.equal(Math.round((await splitOf(viewer)) * 100), 25);
});

test('the large view fills the window, zooms by its buttons, and closes with Escape', options, async (t) => {
  const { page } = await openViewer(t);
  const opener = page.getByRole('button', { name: 'Large view' });
  await opener.click();
  const dialog = page.getByRole('dialog', { name: 'Before and after: board.jpg' });
  await dialog.locator('.compare.is-loaded').waitFor();
  const { width, height } = (await dialog.boundingBox()) ?? {};
  assert.deepEqual({ width, height }, { width: 1100, height: 900 });
  const zoom = dialog.locator('output');
  await dialog.getByRole('button', { name: 'Full resolution' }).click();
  assert.equal(await zoom.textContent(), '100%');
  await dialog.getByRole('button', { name: 'Zoom in' }).click();
  assert.equal(await zoom.textContent(), '125%');
  await dialog.getByRole('button', { name: 'Whole picture' }).click();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await opener.evaluate((button) => button === button.ownerDocument.activeElement), true);
});
