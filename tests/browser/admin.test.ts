// The admin page: what runs here, watched, told and ended from elsewhere.
import { expect, it } from 'vitest';
import { browser, shot, Visitor } from './page.ts';
import { type Server, until, withServer } from './server.ts';

async function admin(server: Server, viewport = { width: 1920, height: 1080 }): Promise<Visitor> {
  const visitor = await Visitor.enter(browser, server, { viewport });
  await visitor.menu('Administer this machine');
  await visitor.page.waitForSelector('.administers .terminals');
  return visitor;
}

it('lists every terminal, watches without typing, types when asked, and closes', () =>
  withServer(async (server) => {
    const work = await server.open('work', ['sh', '-c', 'echo something to watch; exec cat']);
    const kiosk = await Visitor.enter(browser, server, { url: await server.cli('url', '--kiosk') });
    await kiosk.page.waitForSelector('.painted .xterm-rows');
    const visitor = await admin(server);
    const { page } = visitor;
    const row = (name: string) => page.locator('.terminals tbody tr', { hasText: name });
    await row('kiosk').locator('.badge', { hasText: 'kiosk' }).waitFor();
    await page.locator('.here tbody tr', { hasText: 'the kiosk' }).first().waitFor();

    await row('work').getByRole('button', { name: 'Watch' }).click();
    await visitor.sees('something to watch');
    await shot(page, 'admin-1920');
    await visitor.run('must not arrive');
    await visitor.notice('only watch');
    await row('work').getByRole('button', { name: 'Type' }).click();
    await visitor.sees('something to watch');
    await visitor.run('this does');
    await visitor.sees('this does\nthis does');
    expect(await server.cli('terminal', 'show', work)).not.toContain('must not');

    await row('work').getByRole('button', { name: 'Close…' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Close', exact: true }).click();
    await row('work').waitFor({ state: 'detached' });
    visitor.content();
    await visitor.leave();
    await kiosk.leave();
  }));

it('puts a message on the kiosk and hears who has read it; refusals are said', () =>
  withServer(async (server) => {
    const kiosk = await Visitor.enter(browser, server, {
      url: await server.cli('url', '--kiosk'),
      viewport: { width: 800, height: 480 },
    });
    await kiosk.page.waitForSelector('.painted .xterm-rows');
    const visitor = await admin(server, { width: 800, height: 480 });
    const { page } = visitor;
    await page.locator('.here tbody tr').first().waitFor();
    await shot(page, 'admin-800');
    await page.getByRole('button', { name: 'Message to the kiosk…' }).click();
    await shot(page, 'admin-800-message');
    await page.locator('dialog textarea').fill('Maintenance at 18:00.\nPlease finish.');
    await page.getByRole('button', { name: 'Show it' }).click();
    const card = kiosk.page.locator('.message', { hasText: 'Maintenance at 18:00.' });
    await card.waitFor();
    await shot(kiosk.page, 'kiosk-800-message');
    await card.getByRole('button', { name: 'I have read this' }).click();
    await visitor.notice('read by kiosk on the kiosk’s screen');
    await page.getByRole('button', { name: 'Reboot…' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Reboot' }).click();
    await visitor.notice('--power');
    visitor.content();
    await visitor.leave();
    await kiosk.leave();
  }));

it('fits a phone', () =>
  withServer(async (server) => {
    await server.open('a name that is rather long for a phone', ['cat']);
    const visitor = await admin(server, { width: 390, height: 800 });
    const { page } = visitor;
    await page
      .getByRole('button', { name: /^Watch/ })
      .first()
      .click();
    await until('the glass is there', () => page.locator('.glass-frame .xterm-rows').isVisible());
    await shot(page, 'admin-phone');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(wide).toBe(false);
    visitor.content();
    await visitor.leave();
  }));
