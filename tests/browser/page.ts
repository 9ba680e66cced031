// A real Chromium on the page, and what tests ask of it.
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { PATIENCE, type Server, until } from './server.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser of this test file, running while its tests do. */
export let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: FLAGS,
    timeout: PATIENCE,
  });
});
afterAll(() => browser.close());

/** Takes a picture for whoever wants to look: GATEPOST_SHOTS names the folder. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env['GATEPOST_SHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

/** What a browser complained of: the page must give it no reason. */
export interface Complaints {
  errors: string[];
}

/** One browser (its own cookies) showing the page. */
export class Visitor {
  readonly complaints: Complaints = { errors: [] };

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  /** Logs in and waits for the first painted terminal. */
  static async enter(
    browser: Browser,
    server: Server,
    options: Parameters<Browser['newContext']>[0] & { url?: string } = {},
  ): Promise<Visitor> {
    const { url, ...rest } = options;
    const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, ...rest });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const visitor = new Visitor(context, page);
    page.on('pageerror', (error) => visitor.complaints.errors.push(`thrown: ${error.message}`));
    page.on('console', (message) => {
      // What fails while a test has killed the server is said by the browser itself, not by the page.
      if (
        message.type() === 'error' &&
        !/ERR_|WebSocket connection|Failed to load resource/.test(message.text())
      )
        visitor.complaints.errors.push(message.text());
    });
    await page.goto(url ?? (await server.url()));
    if (!page.url().includes('kiosk=1')) await visitor.live();
    return visitor;
  }

  /** The text on the screen of the terminal in front. */
  async screen(): Promise<string> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('.pane:not([hidden]) .xterm-rows > div')]
        .map((row) => (row.textContent ?? '').replaceAll('\u00a0', ' ').trimEnd())
        .join('\n'),
    );
  }

  /** Waits until the screen shows `text`. */
  async sees(text: string | RegExp, limit = PATIENCE): Promise<string> {
    let last = '';
    try {
      return await until(
        `the screen shows ${text}`,
        async () => {
          last = await this.screen();
          return (typeof text === 'string' ? last.includes(text) : text.test(last)) && last;
        },
        limit,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}; it shows:\n${last}`);
    }
  }

  /** Waits for the pill to say that keys arrive. */
  async live(): Promise<void> {
    await this.page.waitForSelector('.pill.live, .pill.ended');
    await this.page.waitForSelector('.pane:not([hidden]) .xterm-rows');
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  /** Types a line and Enter. */
  async run(text: string): Promise<void> {
    await this.type(text);
    await this.page.keyboard.press('Enter');
  }

  /** Where the row is that starts with `text`: a point in its cell number `cell`. */
  async point(text: string, cell: number): Promise<{ x: number; y: number }> {
    const row = this.page.locator('.pane:not([hidden]) .xterm-rows > div', {
      hasText: new RegExp(`^${text}`),
    });
    const box = await row.first().boundingBox();
    if (!box) throw new Error(`no row starts with ${text}`);
    return { x: box.x + cell * 8, y: box.y + box.height / 2 };
  }

  /** Chooses from the menu. */
  async menu(label: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Menu' }).click();
    await this.page.locator('.menu button', { hasText: label }).click();
  }

  tabs(): Promise<string[]> {
    return this.page.locator('.tab .label').allTextContents();
  }

  async notice(text: string | RegExp): Promise<void> {
    await this.page.locator('.notice', { hasText: text }).first().waitFor();
  }

  /** Nothing was thrown, nothing was refused by the page's own policy. */
  content(): void {
    expect(this.complaints.errors).toEqual([]);
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
