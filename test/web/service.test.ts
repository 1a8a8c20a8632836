/** The page on the real service: what the stand-in promises to the other tests, the API keeps. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openService } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { prepareDatabase } from '../helpers/data-folder.ts';
import { drawBoardPhoto } from './board-photo.ts';
import { closeBrowser, NO_BROWSER, openContext } from './chromium.ts';

const WORK_MS = 60_000;

after(closeBrowser);

test('a photo passes through the real service and is erased again', { skip: NO_BROWSER }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'boardsharp-page-'));
  t.after(() => rm(folder, { recursive: true }));
  await prepareDatabase(folder);
  const settings = {
    DATA_DIR: folder,
    PORT: '0',
    EXECUTION_PROVIDER: 'cpu',
    LOG_LEVEL: 'silent',
    RETENTION: '5h',
  };
  const service = await openService(readConfig(settings, folder), { api: true, worker: true });
  t.after(() => service.close());
  assert.ok(service.url);

  const context = await openContext({ locale: 'en-GB' });
  t.after(() => context.close());
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  const page = await context.newPage();
  await page.goto(service.url);
  await page.getByText('Photo and result are kept for 5 hours, then erased.').waitFor();

  const buffer = await drawBoardPhoto(96);
  await page.getByRole('radio', { name: '2×' }).check();
  await page.locator('#picker').setInputFiles({ name: 'board.jpg', mimeType: 'image/jpeg', buffer });
  await page.locator('.compare.is-loaded').waitFor({ timeout: WORK_MS });
  await page.getByText('2× · 96 × 60 → 192 × 120 pixels').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download: board.jpg' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'board-2x.jpg');
  await page.reload();
  await page.locator('.compare.is-loaded').waitFor();

  const address = (await page.locator('.compare img').first().getAttribute('src')) ?? '';
  await page.getByRole('button', { name: 'Erase: board.jpg' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Erase' }).click();
  await page.locator('.card').waitFor({ state: 'detached' });
  assert.equal((await fetch(new URL(address, service.url))).status, 404);
  assert.deepEqual(complaints, []);
});
