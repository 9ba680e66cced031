// What one person says to another, over whatever their terminal shows.
import { expect, it } from 'vitest';
import { browser, shot, Visitor } from './page.ts';
import { until, withServer } from './server.ts';

for (const [program, there] of [
  ['vim -u NONE -N', '~'],
  ['less +G /etc/services', 'END'],
] as const) {
  it(`a message shows over ${program.split(' ')[0]}, changes nothing in it, and is acknowledged`, () =>
    withServer(async (server) => {
      await server.open('work');
      const visitor = await Visitor.enter(browser, server);
      const { page } = visitor;
      await visitor.run(program);
      await visitor.sees(there);
      // It paints in several goes.
      await server.cli('terminal', 'wait', 'work', '--for', 'silence=0.7');
      const before = await visitor.screen();
      const text = 'xss_bell_message <img src=x onerror=document.title=1>\nSecond line';
      const waiting = server.cli('message', '--wait', '--to', 'work', '--level', 'warning', text);
      const card = page.locator('.message', { hasText: 'Message from the owner' });
      await card.waitFor();
      await shot(page, `message-${program.split(' ')[0]}`);
      expect(await card.locator('.text').textContent()).toBe(text);
      expect(await page.locator('.message img').count()).toBe(0);
      // It lies over the program, and keys still go to that.
      const box = await card.boundingBox();
      expect(box !== null && box.y >= 36 && box.x >= 0).toBe(true);
      expect(await visitor.screen()).toBe(before);
      // A page that is loaded anew is told again: nobody has read it yet.
      await page.reload();
      await card.waitFor();
      await card.getByRole('button', { name: 'I have read this' }).click();
      await card.waitFor({ state: 'detached' });
      expect(await waiting).toMatch(/^[a-z2-7]{10}: read by browser$/);
      expect(await visitor.sees(there)).not.toContain('xss');
      visitor.content();
      await visitor.leave();
    }));
}

it('keys acknowledge too, and what nobody has to read is only closed', () =>
  withServer(async (server) => {
    await server.open('work', ['cat']);
    const visitor = await Visitor.enter(browser, server);
    const { page } = visitor;
    const waiting = server.cli('message', '--wait', '--to', 'work', 'first');
    await page.locator('.message', { hasText: 'first' }).waitFor();
    await server.cli('message', '--all', 'second');
    await page.locator('.message', { hasText: 'second' }).getByRole('button', { name: 'Close' }).click();
    await visitor.run('typed meanwhile');
    await visitor.sees('typed meanwhile\ntyped meanwhile');
    expect(await page.locator('.message').count()).toBe(1);
    await page.keyboard.press('Control+Alt+Enter');
    expect(await waiting).toContain('read by browser');
    await visitor.run('and afterwards');
    await visitor.sees('and afterwards\nand afterwards');
    expect(await page.locator('.message').count()).toBe(0);
    visitor.content();
    await visitor.leave();
  }));

it('the kiosk gets messages by itself, and is loaded anew when it is asked for', () =>
  withServer(async (server) => {
    const kiosk = await Visitor.enter(browser, server, {
      url: await server.cli('url', '--kiosk'),
      viewport: { width: 800, height: 480 },
    });
    const { page } = kiosk;
    await page.waitForSelector('.painted .xterm-rows');
    const waiting = server.cli('message', '--wait', 'Please call the office.');
    const card = page.locator('.message');
    await card.waitFor();
    await card.getByRole('button', { name: 'I have read this' }).click();
    expect(await waiting).toContain("read by kiosk on the kiosk's screen");
    await page.evaluate(() => {
      document.documentElement.dataset['before'] = 'yes';
    });
    await until('somebody listens', () => server.cli('kiosk', 'reload').then(() => true));
    await page.waitForFunction(() => document.documentElement.dataset['before'] === undefined);
    await page.waitForSelector('.painted .xterm-rows');
    kiosk.content();
    await kiosk.leave();
  }));
