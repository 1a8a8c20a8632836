/** The page in a browser, for tests: a fresh profile and a server of its own for each, and what tests do with them. */
import assert from 'node:assert/strict';
import { after, type TestContext } from 'node:test';
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { drawBoardPhoto } from './board-photo.ts';
import { closeBrowser, openContext } from './chromium.ts';
import { StandIn } from './stand-in.ts';

const TIMEOUT_MS = 10_000;

after(closeBrowser);

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly server: StandIn;
  readonly url: string;
}

/** What a photo is for `setInputFiles`. */
export interface PhotoFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/**
 * Opens the page. The test fails if the page throws, breaks its Content-Security-Policy, or asks another server for anything.
 * @param prepare changes the server before the page is loaded
 */
export async function openPage(
  t: TestContext,
  options: BrowserContextOptions = {},
  prepare: (server: StandIn) => void = () => {},
): Promise<OpenPage> {
  const server = new StandIn();
  prepare(server);
  const url = await server.listen();
  const context = await openContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const complaints: string[] = [];
  context.on('page', (page) => watch(page, new URL(url).origin, complaints));
  t.after(async () => {
    await context.close();
    await server.close();
    assert.deepEqual(complaints, []);
  });
  const page = await context.newPage();
  await page.goto(url);
  return { page, context, server, url };
}

function watch(page: Page, origin: string, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    // A refused request is told to the user, and to the console by the browser itself.
    const isExpected = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isExpected) complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (address.protocol.startsWith('http') && address.origin !== origin) complaints.push(`asked ${address}`);
  });
}

/** A photo as a file to pick. */
export async function boardFile(name = 'board.jpg', width = 320): Promise<PhotoFile> {
  return { name, mimeType: 'image/jpeg', buffer: await drawBoardPhoto(width) };
}

/** Picks photos as a user does with the button. */
export async function pick(page: Page, ...files: PhotoFile[]): Promise<void> {
  await page.locator('#picker').setInputFiles(files);
}

/** The card of a photo. */
export function cardOf(page: Page, name: string): Locator {
  return page.getByRole('listitem', { name, exact: true });
}

/** The card of a photo, once its pictures can be compared. */
export async function comparedCard(page: Page, name = 'board.jpg'): Promise<Locator> {
  const card = cardOf(page, name);
  await card.locator('.compare.is-loaded').waitFor();
  return card;
}

/** Waits until something the page or the server knows is as expected; the failure tells what it was instead. */
export async function eventually(probe: () => unknown, expected: unknown): Promise<void> {
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    const value = await probe();
    try {
      return assert.deepEqual(value, expected);
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The only upscale the server has. */
export function onlyUpscale(server: StandIn): string {
  const ids = [...server.upscales.keys()];
  assert.equal(ids.length, 1);
  return ids[0] as string;
}
