/** Debian's Chromium: started once for a process, with a fresh profile for each use. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Why the page cannot be opened here; false where it can. */
export const NO_BROWSER = existsSync(CHROMIUM)
  ? false
  : `${CHROMIUM} is missing: install it with \`apt-get install chromium\`, or set CHROMIUM to another`;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let launching: Promise<Browser> | undefined;

/** A fresh profile. */
export async function openContext(options: BrowserContextOptions): Promise<BrowserContext> {
  launching ??= chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  return (await launching).newContext({ viewport: { width: 1100, height: 900 }, ...options });
}

/** Ends it, if it was started. */
export async function closeBrowser(): Promise<void> {
  await (await launching)?.close();
}
