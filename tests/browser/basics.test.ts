// Typing, seeing, reloading, and what survives.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { browser, Visitor } from './page.ts';
import { Server, say, until, within } from './server.ts';

let server: Server;
beforeEach(async () => {
  server = await Server.start();
});
afterEach(() => server.stop());

it('a first visit opens a terminal by itself', async () => {
  const visitor = await Visitor.enter(browser, server);
  expect(await visitor.tabs()).toHaveLength(1);
  // The terminal itself echoes what is typed, whatever the machine's login shell does first.
  await visitor.type('hello');
  await visitor.sees('hello');
  visitor.content();
  await visitor.leave();
});

it('what is typed is seen; a reload shows the same', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  expect(new URL(visitor.page.url()).hash).not.toContain('token');
  await visitor.run('echo a$((40+2))b');
  await visitor.sees('a42b');
  await visitor.page.reload();
  await visitor.live();
  await visitor.sees('a42b');
  await visitor.run('echo c$((1+1))d');
  await visitor.sees('c2d');
  visitor.content();
  await visitor.leave();
});

it('xss_title: what a program calls itself is text and nothing else', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  const title = '<img src=x onerror=window.broken=1><b>bold</b>';
  await visitor.run(`printf '\\033]0;${title}\\007'; read x`);
  await until('the tab is called so', async () => (await visitor.tabs())[0] === title);
  expect(await visitor.page.title()).toContain(title);
  const broken = () => [document.querySelectorAll('img, .tab b').length, 'broken' in window];
  expect(await visitor.page.evaluate(broken)).toEqual([0, false]);
  visitor.content();
  await visitor.leave();
});

it('kill -9 of the server loses nothing and needs no reload', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('x=kept; echo before$((1+1))');
  await visitor.sees('before2');
  await visitor.page.evaluate(() => {
    (window as { marker?: boolean }).marker = true;
  });
  await server.kill();
  await visitor.page.waitForSelector('.line.lost');
  await visitor.type('dropped');
  await visitor.page.locator('.line.lost', { hasText: 'not sent' }).waitFor();
  await server.up();
  await visitor.live();
  await visitor.notice('7 keys typed while offline were not sent');
  await visitor.run('echo after-$x');
  const screen = await visitor.sees('after-kept');
  expect(screen).toContain('before2');
  expect(screen).not.toContain('dropped');
  expect(await visitor.page.evaluate(() => (window as { marker?: boolean }).marker)).toBe(true);
  visitor.content();
  await visitor.leave();
});

it('a machine that stops answering is called offline within ten seconds, and is back by itself', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('echo one$((1))');
  await visitor.sees('one1');
  // A terminal whose connection isn't encrypted needs the server for nothing but its end.
  await server.freeze();
  await visitor.run('echo without$((0))');
  await visitor.sees('without0');
  await server.thaw();
  await within('a machine that stops answering is called offline', 12_000, async () => {
    const began = Date.now();
    await server.freeze(true);
    try {
      await visitor.page.waitForSelector('.line.lost');
      return Date.now() - began;
    } finally {
      await server.thaw();
      await visitor.live();
    }
  });
  await visitor.run('echo two$((2))');
  await visitor.sees('two2');
  await visitor.leave();
});

it('Ctrl-C answers at once during a flood', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await within('^C during yes is seen', 3000, async () => {
    await visitor.run('clear; yes');
    await visitor.sees(/(y\n){10}/);
    const began = Date.now();
    await visitor.page.keyboard.press('Control+c');
    await visitor.sees('^C');
    const took = Date.now() - began;
    await visitor.run('echo still$((1))');
    await visitor.sees('still1');
    return took;
  });
  await visitor.leave();
});

it('an ended program keeps its screen and says how it ended; only Enter starts it again', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('echo last$((1)); exit 7');
  const line = visitor.page.locator('.line.ended', { hasText: 'ended with status 7' });
  await line.waitFor();
  await visitor.sees('last1');
  await visitor.type('x');
  expect(await line.isVisible()).toBe(true);
  await visitor.page.keyboard.press('Enter');
  await line.waitFor({ state: 'detached' }).catch(() => line.waitFor({ state: 'hidden' }));
  await visitor.run('echo again$((1))');
  await visitor.sees('again1');
  visitor.content();
  await visitor.leave();
});

it('a program that ends at once, again and again, is paused, and the page says why', async () => {
  await server.open('quick', ['sh', '-c', 'exit 3']);
  const visitor = await Visitor.enter(browser, server).catch(() => null);
  if (!visitor) throw new Error('an ended terminal is not shown');
  for (let tries = 0; tries < 3; tries++) {
    await visitor.page.locator('.line.ended', { hasText: 'status 3' }).waitFor();
    await visitor.page.keyboard.press('Enter');
    if (await visitor.page.locator('.notice', { hasText: '5' }).count()) break;
  }
  await visitor.notice(/second/);
  visitor.content();
  await visitor.leave();
});

it('Ctrl-S shows how to go on', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('stty ixon; while sleep 0.05; do echo tick; done');
  await visitor.sees('tick');
  await visitor.page.keyboard.press('Control+s');
  const line = visitor.page.locator('.line.stopped');
  await line.waitFor();
  await visitor.page.keyboard.press('Control+q');
  await line.waitFor({ state: 'hidden' });
  await visitor.leave();
});

it('a login that is over shows a calm page, and a fresh address brings everything back', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('echo mine$((1))');
  await visitor.sees('mine1');
  await visitor.menu('Log out');
  await visitor.page.locator('.logged-out', { hasText: 'gatepost url' }).waitFor();
  await visitor.page.goto(await server.url());
  await visitor.page.locator('.logged-out').waitFor({ state: 'detached' });
  await visitor.live();
  await visitor.sees('mine1');
  await visitor.leave();
});

it('the first screen is quick and small', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  const measured = await until('marks', () =>
    visitor.page.evaluate(() => {
      const mark = performance.getEntriesByName('gatepost:interactive')[0];
      if (!mark) return null;
      const loads = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
      const page = performance.getEntriesByType('navigation')[0] as PerformanceResourceTiming;
      return {
        interactive: mark.startTime,
        bytes: [page, ...loads].reduce((sum, load) => sum + load.encodedBodySize, 0),
      };
    }),
  );
  say(
    `page: ${(measured.bytes / 1000).toFixed(1)} KB transferred, interactive after ${measured.interactive.toFixed(0)} ms`,
  );
  expect(measured.bytes).toBeLessThan(250_000);
  visitor.content();
  await visitor.leave();
});

it('after a flood the screen and the lines above it are right', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.run('clear; seq 1 400000');
  await visitor.sees(/^400000$/m);
  // Lines left out while the page was behind come once there is time, and put the view back to the end: whoever
  // scrolls up before that looks again.
  await until('all lines above the screen are there', async () => {
    for (let page = 0; page < 12; page++) await visitor.page.keyboard.press('Shift+PageDown');
    const numbers: number[] = [];
    for (let page = 0; page < 10; page++) {
      const screen = await visitor.screen();
      numbers.unshift(
        ...screen
          .split('\n')
          .filter((row) => /^\d+$/.test(row))
          .map(Number),
      );
      await visitor.page.keyboard.press('Shift+PageUp');
      await until('the view scrolled', async () => (await visitor.screen()) !== screen, 1000);
    }
    const held = [...new Set(numbers)].sort((a, b) => a - b);
    return held.length > 200 && held.every((number, index) => number === 400_000 - held.length + 1 + index);
  });
  await visitor.leave();
});
