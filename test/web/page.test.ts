/** The page in a real browser: photos come in, are sent, followed, shown, downloaded and erased, and nothing is lost on the way. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { drawBoardPhoto } from './board-photo.ts';
import { boardFile, cardOf, comparedCard, eventually, onlyUpscale, openPage, pick } from './browser.ts';
import { NO_BROWSER } from './chromium.ts';

const options = { skip: NO_BROWSER };

test('a picked photo is sent, followed and comes back twice as large', options, async (t) => {
  const { page, server } = await openPage(t);
  await pick(page, await boardFile());
  const card = await comparedCard(page);
  await card.getByText('Ready').waitFor();
  await card.getByText('2× · 320 × 200 → 640 × 400 pixels').waitFor();
  assert.equal(server.keysSent.length, 1);
});

test('scale, look and format are sent, and chosen again at the next visit', options, async (t) => {
  const { page, server } = await openPage(t);
  await page.getByRole('radio', { name: '4×' }).check();
  await page.getByLabel('Look').selectOption('clean');
  await page.getByLabel('Save as').selectOption('webp');
  await pick(page, await boardFile());
  await comparedCard(page);
  const { scale, look, format } = server.upscales.get(onlyUpscale(server)) ?? {};
  assert.deepEqual({ scale, look, format }, { scale: 4, look: 'clean', format: 'webp' });
  await page.reload();
  assert.equal(await page.getByRole('radio', { name: '4×' }).isChecked(), true);
  assert.equal(await page.getByLabel('Look').inputValue(), 'clean');
  assert.equal(await page.getByLabel('Save as').inputValue(), 'webp');
});

test('files dropped anywhere on the page are taken', options, async (t) => {
  const { page, context } = await openPage(t);
  const folder = await mkdtemp(join(tmpdir(), 'boardsharp-drop-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = [join(folder, 'first.jpg'), join(folder, 'second.jpg')];
  for (const file of files) await writeFile(file, await drawBoardPhoto(240));
  const devtools = await context.newCDPSession(page);
  const drag = (type: 'dragEnter' | 'dragOver' | 'drop') =>
    devtools.send('Input.dispatchDragEvent', {
      ...{ type, x: 300, y: 60 },
      data: { items: [], files, dragOperationsMask: 1 },
    });
  await drag('dragEnter');
  await page.locator('body.is-dropping').waitFor();
  await drag('dragOver');
  await drag('drop');
  for (const name of ['first.jpg', 'second.jpg']) await cardOf(page, name).getByText('Ready').waitFor();
  assert.equal(await page.locator('body.is-dropping').count(), 0);
});

test('a picture in the clipboard is pasted with Ctrl V', options, async (t) => {
  const { page, context } = await openPage(t);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const png = await sharp(await drawBoardPhoto(240))
    .png()
    .toBuffer();
  await page.evaluate(`(async () => {
    const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (char) => char.charCodeAt(0));
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) })]);
  })()`);
  await page.keyboard.press('Control+V');
  await cardOf(page, 'Pasted photo').getByText('Ready').waitFor();
});

test('text that is pasted is no photo, and is told so', options, async (t) => {
  const { page, context } = await openPage(t);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(`navigator.clipboard.writeText('words')`);
  await page.keyboard.press('Control+V');
  await page.locator('#toast').getByText('There was no photo in that').waitFor();
});

for (const events of [true, false]) {
  const how = events ? 'server-sent events' : 'long polling where events do not come';
  test(`place in the queue, progress and time are shown, by ${how}`, options, async (t) => {
    const { page, server } = await openPage(t, {}, (quiet) => {
      quiet.pace = 'by hand';
      quiet.eventsWork = events;
    });
    await pick(page, await boardFile());
    const card = cardOf(page, 'board.jpg');
    await card.getByText('Next in the queue').waitFor();
    const id = onlyUpscale(server);
    // Long polling is answered at the end alone: what happens in between is not promised there.
    if (events) {
      server.change(id, { position: 3, remainingSeconds: 75 });
      await card.getByText('Number 3 in the queue, about 1 minute left').waitFor();
      server.change(id, { status: 'processing', position: null, progress: 0.4, remainingSeconds: 12 });
      await card.getByText('Being made readable: 40%, about 12 seconds left').waitFor();
      const bar = page.getByRole('progressbar', { name: 'Progress of board.jpg' });
      assert.equal(await bar.getAttribute('value'), '0.4');
    }
    await server.finish(id);
    await comparedCard(page);
  });
}

test('many photos are all followed, over no more connections than a browser has', options, async (t) => {
  const { page, server } = await openPage(t, {}, (slow) => {
    slow.pace = 'by hand';
  });
  const names = Array.from({ length: 8 }, (_, i) => `board ${i + 1}.jpg`);
  await pick(page, ...(await Promise.all(names.map((name) => boardFile(name, 160)))));
  await eventually(() => server.upscales.size, 8);
  for (const id of server.upscales.keys()) await server.finish(id);
  for (const name of names) await cardOf(page, name).getByText('Ready').waitFor();
  assert.equal(new Set(server.keysSent).size, 8);
});

test('a photo whose answer got lost is sent again under its key: it is one upscale', options, async (t) => {
  const { page, server } = await openPage(t, {}, (broken) => {
    broken.cutsAnswers = true;
  });
  await pick(page, await boardFile());
  await cardOf(page, 'board.jpg').getByText('No connection to the server').waitFor();
  server.cutsAnswers = false;
  await comparedCard(page);
  assert.equal(server.upscales.size, 1);
  assert.ok(server.keysSent.length > 1);
  assert.equal(new Set(server.keysSent).size, 1);
});

test('a photo that was on its way when the page was closed is sent at the next visit', options, async (t) => {
  const { page, server } = await openPage(t, {}, (broken) => {
    broken.cutsAnswers = true;
  });
  await pick(page, await boardFile());
  await cardOf(page, 'board.jpg').getByRole('button', { name: 'Try again' }).waitFor();
  server.cutsAnswers = false;
  await page.reload();
  await comparedCard(page);
  assert.equal(server.upscales.size, 1);
  assert.equal(new Set(server.keysSent).size, 1);
});

test('a photo the browser did not keep is found on the server by its key', options, async (t) => {
  const { page, server } = await openPage(t, {}, (broken) => {
    broken.cutsAnswers = true;
  });
  await pick(page, await boardFile());
  await cardOf(page, 'board.jpg').getByRole('button', { name: 'Try again' }).waitFor();
  await page.evaluate(`new Promise((resolve) => {
    indexedDB.open('boardsharp').onsuccess = ({ target: { result } }) => {
      const transaction = result.transaction('outbox', 'readwrite');
      transaction.objectStore('outbox').clear();
      transaction.oncomplete = resolve;
    };
  })`);
  server.cutsAnswers = false;
  await page.reload();
  await comparedCard(page);
  assert.equal(server.upscales.size, 1);
});

test(
  'a sending that is cancelled leaves nothing on the server, though its answer was lost',
  options,
  async (t) => {
    const { page, server } = await openPage(t, {}, (broken) => {
      broken.cutsAnswers = true;
      broken.pace = 'by hand';
    });
    await pick(page, await boardFile());
    await cardOf(page, 'board.jpg').getByText('No connection to the server').waitFor();
    server.cutsAnswers = false;
    await page.getByRole('button', { name: 'Cancel: board.jpg' }).click();
    await cardOf(page, 'board.jpg').waitFor({ state: 'detached' });
    const statuses = () => [...server.upscales.values()].map(({ status }) => status);
    await eventually(statuses, ['cancelled']);
  },
);

test('a reload keeps what is done and goes on following what is not', options, async (t) => {
  const { page, server } = await openPage(t);
  await pick(page, await boardFile('done.jpg'));
  await comparedCard(page, 'done.jpg');
  server.pace = 'by hand';
  await pick(page, await boardFile('open.jpg'));
  await cardOf(page, 'open.jpg').getByText('Next in the queue').waitFor();
  await page.reload();
  await comparedCard(page, 'done.jpg');
  await cardOf(page, 'open.jpg').getByText('Next in the queue').waitFor();
  const open = [...server.upscales.values()].find(({ status }) => status === 'queued');
  await server.finish(open?.id ?? '');
  await comparedCard(page, 'open.jpg');
  const names = await page.getByRole('heading', { level: 3 }).allTextContents();
  assert.deepEqual(names, ['open.jpg', 'done.jpg']);
});

test('a server that restarts is waited for, and what it goes on with is followed', options, async (t) => {
  const { page, server } = await openPage(t, {}, (quiet) => {
    quiet.pace = 'by hand';
  });
  await pick(page, await boardFile());
  const card = cardOf(page, 'board.jpg');
  await card.getByText('Next in the queue').waitFor();
  await page.route('**/v1/**', (route) => route.abort());
  server.cutConnections();
  await card.getByText('this page goes on by itself').waitFor({ timeout: 20_000 });
  await page.unroute('**/v1/**');
  await server.finish(onlyUpscale(server));
  await comparedCard(page);
  assert.equal(await card.getByText('No connection').isVisible(), false);
});

test('the result is downloaded under the name of its photo', options, async (t) => {
  const { page } = await openPage(t);
  await pick(page, await boardFile('Lecture 7.jpeg'));
  const card = await comparedCard(page, 'Lecture 7.jpeg');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    card.getByRole('link', { name: 'Download: Lecture 7.jpeg' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'Lecture 7-2x.jpg');
  const { width } = await sharp(await readFile(await download.path())).metadata();
  assert.equal(width, 640);
});

test('a photo is cancelled while it waits, and erased on the server', options, async (t) => {
  const { page, server } = await openPage(t, {}, (quiet) => {
    quiet.pace = 'by hand';
  });
  await pick(page, await boardFile());
  await page.getByRole('button', { name: 'Cancel: board.jpg' }).click();
  await cardOf(page, 'board.jpg').waitFor({ state: 'detached' });
  assert.equal(server.upscales.get(onlyUpscale(server))?.status, 'cancelled');
  await page.reload();
  assert.equal(await page.locator('#photos').isVisible(), false);
});

test('a result is erased after a question, by keyboard alone', options, async (t) => {
  const { page, server } = await openPage(t);
  await pick(page, await boardFile());
  await comparedCard(page);
  const erase = page.getByRole('button', { name: 'Erase: board.jpg' });
  await erase.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Erase this photo?' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await erase.evaluate((button) => button === button.ownerDocument.activeElement), true);
  await erase.press('Enter');
  await dialog.getByRole('button', { name: 'Erase' }).press('Enter');
  await cardOf(page, 'board.jpg').waitFor({ state: 'detached' });
  const original = await fetch(new URL(`v1/upscales/${onlyUpscale(server)}/original`, page.url()));
  assert.equal(original.status, 404);
  await eventually(() => page.evaluate('document.activeElement.id'), 'picker');
});
