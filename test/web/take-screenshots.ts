/**
 * Takes the pictures in docs/screenshots: `npm start` in one terminal, in another
 * `node test/web/take-screenshots.ts [http://127.0.0.1:8080/]`. The photo is drawn, everything else is the real thing.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { drawBoardPhoto } from './board-photo.ts';
import { closeBrowser, openContext } from './chromium.ts';

const FOLDER = join(import.meta.dirname, '../../docs/screenshots');
const url = process.argv[2] ?? 'http://127.0.0.1:8080/';
const WORK_MS = 100_000;
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const DESK = { viewport: { width: 1100, height: 1500 } };

interface Scene {
  readonly name: string;
  readonly options: BrowserContextOptions;
  act(page: Page): Promise<void>;
}

async function send(page: Page, name: string, kind: 'chalk' | 'marker' = 'chalk'): Promise<void> {
  const buffer = await drawBoardPhoto(400, kind);
  await page.locator('#picker').setInputFiles({ name, mimeType: 'image/jpeg', buffer });
  await page.locator('.compare.is-loaded').first().waitFor({ timeout: WORK_MS });
}

const toTop = (page: Page) => page.evaluate('scrollTo(0, 0)');

const SCENES: readonly Scene[] = [
  {
    name: 'page-light-en',
    options: { ...DESK, locale: 'en-GB' },
    async act(page) {
      await send(page, 'Lecture 7, Gauss–Seidel.jpg');
      await toTop(page);
    },
  },
  {
    name: 'page-dark-ru',
    options: { ...DESK, locale: 'ru-RU', colorScheme: 'dark' },
    async act(page) {
      await send(page, 'Лекция 7, метод Зейделя.jpg');
      await toTop(page);
    },
  },
  {
    name: 'large-light-en',
    options: { viewport: { width: 1100, height: 760 }, locale: 'en-GB' },
    async act(page) {
      await send(page, 'Lecture 7, Gauss–Seidel.jpg', 'marker');
      await page.getByRole('button', { name: 'Large view' }).click();
      const stage = page.getByRole('dialog').locator('.compare-stage');
      await page.getByRole('dialog').locator('.compare.is-loaded').waitFor();
      await stage.press('1');
      for (let i = 0; i < 2; i++) await stage.press('+');
      for (let i = 0; i < 8; i++) await stage.press('ArrowLeft');
    },
  },
  {
    name: 'errors-light-en',
    options: { ...DESK, locale: 'en-GB' },
    async act(page) {
      const broken = (await drawBoardPhoto(400)).subarray(0, 900);
      await page.locator('#picker').setInputFiles([
        { name: 'cut off.jpg', mimeType: 'image/jpeg', buffer: broken },
        { name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') },
      ]);
      await page.locator('.card-problem:visible').nth(1).waitFor({ timeout: WORK_MS });
      await toTop(page);
    },
  },
  { name: 'phone-light-en', options: { ...PHONE, locale: 'en-GB' }, act: async () => {} },
  {
    name: 'phone-dark-ru',
    options: { ...PHONE, locale: 'ru-RU', colorScheme: 'dark' },
    act: (page) => send(page, 'Лекция 7.jpg'),
  },
];

mkdirSync(FOLDER, { recursive: true });
for (const { name, options, act } of SCENES) {
  const context = await openContext({ ...options, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url);
  await act(page);
  // Pictures fade in.
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(FOLDER, `${name}.jpg`), type: 'jpeg', quality: 80 });
  await context.close();
}
await closeBrowser();
