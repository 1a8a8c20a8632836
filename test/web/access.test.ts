/** The page for everybody: both languages, light and dark, a small phone, keyboard, screen reader, key, and every kind of error. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { boardFile, cardOf, comparedCard, eventually, onlyUpscale, openPage, pick } from './browser.ts';
import { NO_BROWSER } from './chromium.ts';

const options = { skip: NO_BROWSER };
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const NOT_A_PHOTO = { name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') };

/** What axe finds wrong, by rule and element, at the levels A and AA and by its best practices. */
async function violations(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  const found = await page.evaluate(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => [id, target, failureSummary].join(' | '))))`,
  );
  return found as string[];
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing in any state of the page, ${colorScheme}`, options, async (t) => {
    const { page, server } = await openPage(t, { colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(await violations(page), []);
    await pick(page, await boardFile('done.jpg'));
    await comparedCard(page, 'done.jpg');
    server.pace = 'by hand';
    await pick(page, NOT_A_PHOTO, await boardFile('open.jpg'));
    await cardOf(page, 'notes.pdf').getByText('Not accepted').waitFor();
    await cardOf(page, 'open.jpg').getByText('Next in the queue').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Large view' }).click();
    await page.getByRole('dialog').locator('.compare.is-loaded').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Erase: done.jpg' }).click();
    assert.deepEqual(await violations(page), []);
  });
}

test(
  'the language follows the browser, is switched for everything on the page, and is kept',
  options,
  async (t) => {
    const { page } = await openPage(t, { locale: 'ru-RU' });
    await page.getByRole('heading', { level: 1, name: 'Прочитайте, что на доске.' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'ru');
    await pick(page, await boardFile());
    const card = await comparedCard(page);
    await card.getByText('Готово').waitFor();
    await page.getByRole('button', { name: 'English' }).click();
    await card.getByText('Ready').waitFor();
    const text = (await page.locator('body').allInnerTexts()).join();
    assert.doesNotMatch(text.replace('Русский', ''), /[а-яё]/i);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Read what is on the board.' }).waitFor();
    await page.getByRole('button', { name: 'Русский' }).click();
    const words = (await page.locator('main').allInnerTexts()).join().match(/\b[a-z]{3,}\b/g) ?? [];
    assert.deepEqual(words, ['board', 'jpg'], 'no English is left but file names');
  },
);

test('on a phone 360 pixels wide nothing scrolls sideways, in both languages', options, async (t) => {
  const { page, server } = await openPage(t, { ...PHONE, locale: 'ru-RU' });
  const overflow = () =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  assert.equal(await overflow(), 0);
  await page.getByText('Сюда – фотографии досок').waitFor();
  await pick(
    page,
    await boardFile('a very long name without any end in sight and_no_space_to_break_at_all.jpg'),
  );
  await page.locator('.compare.is-loaded').waitFor();
  server.pace = 'by hand';
  await pick(page, NOT_A_PHOTO, await boardFile('open.jpg'));
  await page.getByText('Не принята').waitFor();
  assert.equal(await overflow(), 0);
  await page.getByRole('button', { name: 'English' }).click();
  assert.equal(await overflow(), 0);
});

test('the page says how long photos are kept, and how large they may be', options, async (t) => {
  const { page } = await openPage(t, {}, (server) => {
    server.limits = { maxInputBytes: 20_971_520, retentionSeconds: 3600 };
  });
  await page.getByText('Photo and result are kept for 1 hour, then erased.').waitFor();
  await page.getByText('Erased after 1 hour. Not used for training.').waitFor();
  await page.getByText('up to 20 MB each').waitFor();
});

test('without limits told the page promises no number, and works', options, async (t) => {
  const { page } = await openPage(t, {}, (server) => {
    server.limits = undefined;
  });
  await page.getByText('kept for a limited time, then erased').waitFor();
  await pick(page, await boardFile());
  await comparedCard(page);
});

test(
  'a file that is too large is refused before it is sent, with what, why and what to do',
  options,
  async (t) => {
    const { page, server } = await openPage(t, {}, (small) => {
      small.limits = { maxInputBytes: 1000 };
    });
    // The limit must be known first: else the server would refuse it.
    await page.getByText('up to 1 kB each').waitFor();
    await pick(page, await boardFile());
    const card = cardOf(page, 'board.jpg');
    await card.getByText('The file is too large').waitFor();
    await card.getByText(/^It has \d+ kB; the server takes up to 1 kB\.$/).waitFor();
    await card.getByText('What to do: Crop the photo to the board and send that.').waitFor();
    assert.deepEqual(server.keysSent, []);
  },
);

test(
  'what the server refuses is told in the language of the page, and to screen readers',
  options,
  async (t) => {
    const { page } = await openPage(t, { locale: 'ru' });
    await pick(page, NOT_A_PHOTO);
    const card = cardOf(page, 'notes.pdf');
    await card.getByText('Это не фотография, которую можно прочитать').waitFor();
    await card.getByText('Что делать: Отправьте фотографию JPEG').waitFor();
    await page.getByRole('log').getByText('notes.pdf: Это не фотография').waitFor();
    await card.getByRole('button', { name: 'Убрать из списка' }).click();
    await card.waitFor({ state: 'detached' });
  },
);

test('an error this page does not know is told in the words of the server', options, async (t) => {
  const { page } = await openPage(t, {}, (server) => {
    server.refuseNext({
      status: 409,
      code: 'NEW_ONE',
      title: 'It is new',
      detail: 'of late',
      action: 'Wait',
    });
  });
  await pick(page, await boardFile());
  const card = cardOf(page, 'board.jpg');
  for (const text of ['It is new', 'of late.', 'What to do: Wait', 'NEW_ONE, request request-1']) {
    await card.getByText(text).waitFor();
  }
});

test(
  'over the quota the photo waits for as long as the server asks, then is sent again',
  options,
  async (t) => {
    const { page, server } = await openPage(t, {}, (busy) => {
      busy.refuseNext({ status: 429, code: 'QUOTA_EXCEEDED', retryAfter: 1 });
    });
    await pick(page, await boardFile());
    await cardOf(page, 'board.jpg').getByText('Too many photos are waiting already').waitFor();
    await comparedCard(page);
    assert.equal(server.keysSent.length, 2);
  },
);

test('a failed photo tells why and is sent anew', options, async (t) => {
  const { page, server } = await openPage(t, {}, (quiet) => {
    quiet.pace = 'by hand';
  });
  await pick(page, await boardFile());
  await eventually(() => server.upscales.size, 1);
  const id = onlyUpscale(server);
  const error = { code: 'TIMEOUT', message: 'It took too long' };
  server.change(id, { status: 'failed', position: null, error, finishedAt: new Date().toISOString() });
  await cardOf(page, 'board.jpg').getByText('It took too long').waitFor();
  server.pace = 'by itself';
  await page.getByRole('button', { name: 'Try again' }).click();
  await comparedCard(page);
  assert.equal(server.upscales.size, 2);
});

test('where letters could have changed, the result says that it was only enlarged', options, async (t) => {
  const { page, server } = await openPage(t, {}, (quiet) => {
    quiet.pace = 'by hand';
  });
  await pick(page, await boardFile());
  await eventually(() => server.upscales.size, 1);
  await server.finish(onlyUpscale(server), { verdict: 'fallback', consistency: 20 });
  await cardOf(page, 'board.jpg').getByText('No letter was invented').waitFor();
});

test('a result that is kept no longer says so', options, async (t) => {
  const { page, server } = await openPage(t);
  await pick(page, await boardFile());
  await comparedCard(page);
  server.erasePictures(onlyUpscale(server));
  await page.reload();
  await cardOf(page, 'board.jpg').getByText('Erased from the server').waitFor();
  await page.getByRole('button', { name: 'Remove from the list' }).click();
  assert.equal(await page.locator('#photos').isVisible(), false);
});

test(
  'a server that asks for a key gets it from the user, with every request after that',
  options,
  async (t) => {
    const { page } = await openPage(t, {}, (guarded) => {
      guarded.apiKey = 'a-long-enough-key';
    });
    await pick(page, await boardFile());
    const dialog = page.getByRole('dialog', { name: 'This server asks for a key' });
    await dialog.getByLabel('API key').fill('a-wrong-key');
    await page.keyboard.press('Enter');
    await dialog.getByText('The server does not know this key.').waitFor();
    await dialog.getByLabel('API key').fill('a-long-enough-key');
    await page.keyboard.press('Enter');
    await comparedCard(page);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download: board.jpg' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'board-2x.jpg');
  },
);

test('everything is reached with the Tab key alone, in the order it is seen', options, async (t) => {
  const { page } = await openPage(t);
  await pick(page, await boardFile());
  await comparedCard(page);
  await page.evaluate('document.activeElement.blur()');
  const names: string[] = [];
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(
      `((e) => e === document.body ? '' : e.id || e.getAttribute('aria-label') || e.name || e.textContent.trim())(document.activeElement)`,
    );
    if (focused === '') break;
    names.push(String(focused).split(/[:.]/, 1)[0] ?? '');
  }
  assert.deepEqual(names, [
    ...['Skip to the photos', 'English', 'Русский', 'picker', 'More about this', 'scale', 'look', 'format'],
    ...['Download', 'Share to a room', 'Erase', 'Before and after', 'Divider between before and after'],
    ...['Zoom out', 'Zoom in', 'Full resolution', 'Whole picture', 'Large view', 'rooms-link', 'REST API'],
  ]);
});
