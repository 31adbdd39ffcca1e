import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { builtPage } from './built-page.ts';
import { openBrowser } from './chromium.ts';
import { FakeServer } from './fake-server.ts';

export interface LookOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
}

/** A browser, and what went wrong in its pages. */
export class Opened {
  readonly browser: Browser;
  readonly server = new FakeServer();
  /** Errors in consoles, uncaught ones, refused by the policy, and requests to elsewhere. */
  readonly problems: string[] = [];
  base = '';
  #contexts: BrowserContext[] = [];

  private constructor(browser: Browser) {
    this.browser = browser;
  }

  static async start(): Promise<Opened> {
    await builtPage();
    const opened = new Opened(await openBrowser());
    opened.base = await opened.server.listen();
    return opened;
  }

  /** Opens a page at a part after `#`. Nothing may go to anywhere but this machine. */
  async look(hash: string, options: LookOptions = {}): Promise<Page> {
    const page = await this.page(options);
    await page.goto(`${this.base}${hash}`);
    return page;
  }

  async page({ width = 1_280, height = 800, scheme = 'light' }: LookOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
      acceptDownloads: true,
    });
    this.#contexts.push(context);
    await context.route('**', (route) => {
      const url = new URL(route.request().url());
      if (['127.0.0.1', ''].includes(url.hostname)) return route.continue();
      this.problems.push(`a request to ${url.host}`);
      return route.abort();
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(error.stack ?? error.message));
    return page;
  }

  /** Closes the pages of a test, and fails if anything went wrong in them. */
  async closePages(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
    assert.equal(this.problems.splice(0), []);
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.close();
  }
}

/** Waits until an element has a text, and fails with what it has instead. */
export async function says(locator: Locator, text: string | RegExp): Promise<void> {
  const matches = (found: string): boolean =>
    typeof text === 'string' ? found.includes(text) : text.test(found);
  let found = '';
  for (const endAt = Date.now() + 15_000; Date.now() < endAt; ) {
    found = squeeze((await locator.textContent({ timeout: 15_000 })) ?? '');
    if (matches(found)) return;
    await locator.page().evaluate('new Promise(requestAnimationFrame)');
  }
  assert.unreachable(`${locator}: expected ${text}, found ${JSON.stringify(found)}`);
}

/** Waits until something is true of the page. */
export async function until(what: string, page: Page, isTrue: () => Promise<boolean>): Promise<void> {
  for (const endAt = Date.now() + 15_000; Date.now() < endAt; ) {
    if (await isTrue()) return;
    await page.evaluate('new Promise(requestAnimationFrame)');
  }
  assert.unreachable(`never: ${what}`);
}

/** The texts of all that a locator finds. */
export async function texts(locator: Locator): Promise<string[]> {
  return (await locator.allTextContents()).map(squeeze);
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/**
 * Finds a colour on a canvas: the middle of the first row of pixels that have it, in CSS pixels. Waits until it is there.
 */
export async function findColour(page: Page, selector: string, colour: string): Promise<Place> {
  let found: Place | undefined;
  await until(`${colour} on ${selector}`, page, async () => {
    found = await page.evaluate<Place | undefined>(`(${search})(${JSON.stringify([selector, colour])})`);
    return found !== undefined;
  });
  return found as Place;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Runs in the page. */
const search = `([selector, colour]) => {
  const canvas = document.querySelector(selector);
  if (canvas === null || canvas.width === 0) return undefined;
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const ratio = canvas.width / canvas.clientWidth;
  for (let y = 0; y < height; y++) {
    let [first, last] = [-1, -1];
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      if (data[at] !== r || data[at + 1] !== g || data[at + 2] !== b) continue;
      if (first < 0) first = x;
      if (last < 0 || x === last + 1) last = x;
    }
    if (last - first > 6) return { x: (first + last) / 2 / ratio, y: (y + 5) / ratio };
  }
  return undefined;
}`;
