/** The page of a room in a real browser, on the real service: live, compared, stepped through, closed to who was removed. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openRoom } from '../helpers/rooms.ts';
import { closeBrowser, NO_BROWSER, openContext } from './chromium.ts';

after(closeBrowser);

test('boards appear by themselves, open large, and are gone with the link', {
  skip: NO_BROWSER,
}, async (t) => {
  const { anna, owner, room, idOf, url } = await openRoom(t);
  const context = await openContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  t.after(() => context.close());
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  const page = await context.newPage();
  await page.goto(`${url}/rooms/${room.code}`);
  await page.getByText('There is no board here yet.').waitFor();
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Analysis');
  const early = await anna.result();
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result()] });
  await page.getByRole('button', { name: /^Open: Board 1/ }).waitFor();
  await page.getByRole('button', { name: 'Show the newest large' }).click();
  await page.locator('.compare.is-loaded').waitFor();
  const split = "getComputedStyle(document.querySelector('.compare')).getPropertyValue('--split')";
  assert.equal(await page.evaluate(split), '0', 'the hall sees the result whole');
  // It was sent first and is shared last: it opens as the newest, and stands first.
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [early] });
  await page.getByRole('heading', { name: /^Board 1/ }).waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('heading', { name: /^Board 2/ }).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Русский' }).click();
  await page.getByText('В комнате 4 участника.').waitFor();
  await page.getByRole('button', { name: 'Пригласить' }).click();
  await page.getByRole('img', { name: 'QR-картинка со ссылкой' }).waitFor();
  await page.keyboard.press('Escape');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Все в PDF' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /\.pdf$/);
  await owner.rooms.removeMember(room.id, idOf('P4'));
  await page.getByText('Эта ссылка не открывает комнату').waitFor();
  assert.equal(await page.locator('.gallery-item').count(), 0);
  assert.deepEqual(complaints, []);
});

test('on a phone nothing scrolls sideways, in both languages', { skip: NO_BROWSER }, async (t) => {
  const { anna, room, url } = await openRoom(t);
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result()] });
  for (const locale of ['en-GB', 'ru-RU']) {
    const context = await openContext({ locale, viewport: { width: 360, height: 740 }, hasTouch: true });
    const page = await context.newPage();
    await page.goto(`${url}/rooms/${room.code}`);
    await page.locator('.gallery-item').waitFor();
    assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), locale);
    await page.locator('.gallery-open').click();
    await page.locator('.compare.is-loaded').waitFor();
    const fits =
      "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('#viewer-title'))";
    assert.ok(await page.evaluate(fits), `${locale}: the board's name is read whole`);
    const share = "document.querySelector('#viewer .compare-stage').clientHeight / innerHeight";
    assert.ok(Number(await page.evaluate(share)) > 0.6, `${locale}: the picture has most of the screen`);
    assert.equal(await page.locator('.compare-hint:visible').count(), 1, locale);
    await context.close();
  }
});

test('a room is made on the page, and given a result', { skip: NO_BROWSER }, async (t) => {
  const { url } = await openRoom(t);
  const context = await openContext({ locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(url);
  const { drawBoardPhoto } = await import('./board-photo.ts');
  const buffer = await drawBoardPhoto(96);
  await page.locator('#picker').setInputFiles({ name: 'board.jpg', mimeType: 'image/jpeg', buffer });
  await page.getByRole('button', { name: 'Share to a room: board.jpg' }).click({ timeout: 60_000 });
  await page.getByLabel('Title of a new room').fill('Algebra');
  await page.getByRole('button', { name: 'Make the room' }).click();
  await page.getByRole('button', { name: 'Share to Algebra' }).click();
  await page.getByText('It is in the room Algebra.').first().waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Rooms', exact: true }).click();
  await page.getByRole('link', { name: 'Algebra' }).click();
  await page.getByRole('button', { name: /^Open: Board 1/ }).waitFor();
});
