// Who the machine is, on its own screen: before its first use, and when somebody asks.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { browser, shot, Visitor } from './page.ts';
import { Server, until } from './server.ts';

const run = promisify(execFile);
const SIZES = {
  '800x480': { width: 800, height: 480 },
  '1920x1080': { width: 1920, height: 1080 },
  phone: { width: 360, height: 640 },
};

/** A server others can reach, as far as it knows. */
async function reachable(
  set: string[],
  body: (kiosk: Visitor, server: Server) => Promise<void>,
): Promise<void> {
  const all = ['server.tls.mode=self-signed', 'server.local_listen=127.0.0.1:0', ...set];
  const server = await Server.start({
    args: ['--auth', 'local', ...all.flatMap((one) => ['--set', one])],
  });
  try {
    const kiosk = await enter(server);
    await body(kiosk, server);
    kiosk.content();
    await kiosk.leave();
  } finally {
    await server.stop();
  }
}

async function enter(server: Server): Promise<Visitor> {
  const url = await server.cli('url', '--kiosk');
  return Visitor.enter(browser, server, { viewport: SIZES['800x480'], url });
}

const sheet = (page: Page) => page.locator('dialog.identity');

/** What a camera in front of the screen reads. */
async function read(page: Page): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatepost-code-'));
  try {
    const path = join(folder, 'screen.png');
    await page.screenshot({ path });
    const { stdout } = await run('zbarimg', ['--quiet', '--raw', path]);
    return stdout.trim();
  } finally {
    await rm(folder, { recursive: true });
  }
}

it('a new machine says who it is on any screen, and a camera can read where to find it', async () => {
  await reachable([], async ({ page }, server) => {
    await sheet(page).locator('svg').waitFor();
    const where = await sheet(page).locator('.where').textContent();
    expect(where).toMatch(/^https:\/\/[\d.[\]:a-f]+\/$/);
    for (const [name, size] of Object.entries(SIZES)) {
      await page.setViewportSize(size);
      expect(await read(page)).toBe(where);
      await shot(page, `kiosk-identity-${name}`);
      const button = await sheet(page).getByRole('button').boundingBox();
      expect((button?.y ?? 0) + (button?.height ?? 0)).toBeLessThanOrEqual(size.height);
      // Nothing is cut off: no need to scroll on a screen without a mouse.
      expect(
        await sheet(page).evaluate(
          (one) => one.scrollHeight <= one.clientHeight && one.scrollWidth <= one.clientWidth,
        ),
      ).toBe(true);
    }
    const shown = (await sheet(page).locator('.fingerprint span').allTextContents()).join(' ');
    const { stdout } = await run('sh', [
      '-c',
      `openssl s_client -connect 127.0.0.1:${server.port} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256`,
    ]);
    expect(stdout.trim().split('=')[1]?.replaceAll(':', ' ')).toBe(shown);
  });
});

it('once noted it is not shown again, and whoever asks for it later sees no password', async () => {
  await reachable(['kiosk.theme=high-contrast'], async (kiosk, server) => {
    const { page } = kiosk;
    await sheet(page).locator('.secret').waitFor();
    await shot(page, 'kiosk-identity-contrast');
    // Escape is no way around, and neither is loading the page again.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    expect(await sheet(page).isVisible()).toBe(true);
    await page.reload();
    await sheet(page).locator('.secret').waitFor();
    await sheet(page).getByRole('button', { name: 'I have noted it' }).click();
    await sheet(page).waitFor({ state: 'detached' });
    await kiosk.sees(/[$#]/);
    await server.kill();
    await server.up();
    const again = await enter(server);
    await again.sees(/[$#]/);
    expect(await sheet(again.page).count()).toBe(0);
    await server.cli('kiosk', 'identity');
    await sheet(again.page).locator('svg').waitFor();
    expect(await sheet(again.page).locator('.secret').count()).toBe(0);
    expect(await read(again.page)).toContain('https://');
    await shot(again.page, 'kiosk-identity-asked');
    await again.page.keyboard.press('Enter');
    await sheet(again.page).waitFor({ state: 'detached' });
    await again.leave();
  });
});

it('whoever logs in from elsewhere has noted it', async () => {
  await reachable([], async ({ page }, server) => {
    const secret = (await sheet(page).locator('.secret').textContent()) ?? '';
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const elsewhere = await context.newPage();
    await elsewhere.goto(`https://127.0.0.1:${server.port}/`);
    await elsewhere.getByLabel('Name').fill('admin');
    await elsewhere.getByLabel('Password').fill(secret);
    await elsewhere.keyboard.press('Enter');
    await elsewhere.waitForSelector('.pill.live');
    await until('the screen shows it no longer', async () => (await sheet(page).count()) === 0);
    await context.close();
  });
});

it('where it is not wanted it is not shown', async () => {
  await reachable(['kiosk.identity=never'], async (kiosk, server) => {
    await kiosk.sees(/[$#]/);
    expect(await sheet(kiosk.page).count()).toBe(0);
    await server.cli('do', 'kiosk identity');
    await sheet(kiosk.page).waitFor();
    expect(await sheet(kiosk.page).locator('.secret').count()).toBe(0);
  });
});
