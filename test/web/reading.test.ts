/** The page of the reading trial in a real browser, on the real service: read, not read, to the end; and who comes back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTestService } from '../helpers/api.ts';
import { temporaryFolder } from '../helpers/engine.ts';
import { loadWords } from '../helpers/trial.ts';
import { closeBrowser, NO_BROWSER, openContext } from './chromium.ts';

after(closeBrowser);

test('a volunteer reads on a phone, word after word, and goes on where they were', {
  skip: NO_BROWSER,
}, async (t) => {
  const folder = temporaryFolder(t);
  const code = await loadWords(folder, ['alpha', 'beta', 'gamma']);
  const { url } = await openTestService(t, { DATA_DIR: folder }, { api: true, worker: false });
  const context = await openContext({
    locale: 'en-GB',
    viewport: { width: 360, height: 740 },
    hasTouch: true,
  });
  t.after(() => context.close());
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  let page = await context.newPage();
  await page.goto(`${url}/reading/${code}`);
  await page.getByText('You have answered 0, 3 are left.').waitFor();
  assert.ok(await page.evaluate("document.getElementById('crop').naturalWidth > 10"), 'the crop is there');
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'));
  await page.getByLabel('What is written here?').fill('alpha');
  await page.getByRole('button', { name: 'That is what I read' }).click();
  await page.getByText('You have answered 1, 2 are left.').waitFor();
  await page.getByRole('button', { name: 'Русский' }).click();
  await page.getByRole('button', { name: 'Не прочесть' }).click();
  await page.getByText('Отвечено: 2, осталось: 1.').waitFor();
  await page.close();
  page = await context.newPage();
  await page.goto(`${url}/reading/${code}`);
  await page.getByText('Отвечено: 2, осталось: 1.').waitFor();
  await page.getByLabel('Что здесь написано?').fill('gamma');
  await page.keyboard.press('Enter');
  await page.getByText('Сейчас читать нечего. Спасибо!').waitFor();
  const other = await openContext({ locale: 'en-GB' });
  t.after(() => other.close());
  const stranger = await other.newPage();
  await stranger.goto(`${url}/reading/${code}`);
  await stranger.getByText('You have answered 0, 3 are left.').waitFor();
  await stranger.goto(`${url}/reading/${'x'.repeat(22)}`);
  await stranger.getByText('This link opens no reading trial').waitFor();
  assert.deepEqual(complaints, []);
});
