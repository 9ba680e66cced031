// The kiosk's own screen for people without its keys: the keyboard on it, two switches, and large, clear type.
import { expect, it } from 'vitest';
import { browser, shot, Visitor } from './page.ts';
import { Server, until } from './server.ts';

/** Reads no start-up files, which may take their time. */
const SHELL = ['env', 'PS1=$ ', 'bash', '--norc', '--noprofile'];
const SMALL = { width: 800, height: 480 };

/** The kiosk's page of a server with these settings. */
async function kiosk(
  set: string[],
  body: (visitor: Visitor, server: Server) => Promise<void>,
  options: Parameters<typeof Visitor.enter>[2] = {},
): Promise<void> {
  const server = await Server.start({ args: set.flatMap((one) => ['--set', one]) });
  try {
    await server.open('kiosk', SHELL);
    const url = await server.cli('url', '--kiosk');
    const visitor = await Visitor.enter(browser, server, { viewport: SMALL, ...options, url });
    await visitor.sees('$');
    await body(visitor, server);
    visitor.content();
    await visitor.leave();
  } finally {
    await server.stop();
  }
}

const key = (visitor: Visitor, name: string) =>
  visitor.page.locator('.keyboard').getByRole('button', { name, exact: true }).first();

/** Types with the keyboard on the screen. */
async function tap(visitor: Visitor, ...names: string[]): Promise<void> {
  for (const name of names) await key(visitor, name).click();
}

async function rows(server: Server): Promise<number> {
  const list = JSON.parse(await server.cli('terminal', 'list', '--json')) as
    | { terminals: { size: { rows: number } }[] }
    | { size: { rows: number } }[];
  return (Array.isArray(list) ? list : list.terminals)[0]?.size.rows ?? 0;
}

it('the keyboard on the screen types whatever a real one does, and the program has the room above it', async () => {
  await kiosk(['kiosk.keyboard=always'], async (visitor, server) => {
    await visitor.page.locator('.keyboard').waitFor();
    await until('the terminal has become smaller', async () => (await rows(server)) < 20);
    const glass = await visitor.page.locator('.xterm-screen').boundingBox();
    const board = await visitor.page.locator('.keyboard').boundingBox();
    expect((glass?.y ?? 0) + (glass?.height ?? 0)).toBeLessThanOrEqual(board?.y ?? 0);
    for (const one of await visitor.page.locator('.keyboard .key').all()) {
      const box = await one.boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(40);
      expect(box?.width).toBeGreaterThanOrEqual(44);
    }
    await tap(visitor, 'e', 'c', 'h', 'o', 'Space', 'Shift', 'H', 'i', '-', 'Enter');
    await visitor.sees('\nHi-');
    await shot(visitor.page, 'kiosk-keyboard');
    // Ctrl for one key; and locked, for two.
    await tap(visitor, 's', 'l', 'e', 'e', 'p', 'Space', '9', '9', 'Enter', 'Ctrl', 'c');
    await visitor.sees('^C');
    await tap(visitor, 'x', 'Shift', 'Shift, for the next key', 'A', 'B', 'Shift, locked', 'c');
    await visitor.sees('xABc');
    await tap(visitor, 'Backspace', 'Up');
    await visitor.sees('sleep 99');
    await tap(visitor, 'Ctrl', 'u', 'Signs and F keys');
    await tap(visitor, '#', '|', '~', 'Letters');
    await visitor.sees('$ #|~');
    // Held down it goes on typing, and stops with the finger.
    const box = await key(visitor, 'z').boundingBox();
    await visitor.page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + 20);
    await visitor.page.mouse.down();
    await visitor.sees('zzzzz');
    await visitor.page.mouse.up();
    const typed = await until('it stops', async () => {
      const before = await visitor.screen();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return before === (await visitor.screen()) && before;
    });
    expect(typed).toContain('zzzzz');
  });
});

it('it comes with a touch, goes with real keys or when it is put away, and speaks other languages', async () => {
  const settings = ['kiosk.keyboard=touch', 'kiosk.keyboard_layout=de'];
  await kiosk(
    settings,
    async (visitor, server) => {
      const board = visitor.page.locator('.keyboard');
      expect(await board.isVisible()).toBe(false);
      const all = await rows(server);
      await visitor.page.touchscreen.tap(200, 100);
      await board.waitFor();
      await until('the terminal is smaller', async () => (await rows(server)) < all);
      for (const name of ['e', 'c', 'h', 'o', 'Space']) await key(visitor, name).tap();
      for (const name of ['z', 'ö', 'ß', 'AltGr', '@', '´, then a letter', 'e', 'Enter'])
        await key(visitor, name).tap();
      await visitor.sees('\nzöß@é');
      await shot(visitor.page, 'kiosk-keyboard-de');
      await key(visitor, 'Put the keyboard away').tap();
      expect(await board.isVisible()).toBe(false);
      await until('the terminal has its room back', async () => (await rows(server)) === all);
      await visitor.page.touchscreen.tap(200, 100);
      await board.waitFor();
      await visitor.run('echo real keys');
      await visitor.sees('\nreal keys');
      expect(await board.isVisible()).toBe(false);
    },
    { hasTouch: true },
  );
});

it('held upright there are letters only, and every sign on the other layer', async () => {
  const settings = ['kiosk.keyboard=always', 'kiosk.keyboard_layout=fr'];
  await kiosk(
    settings,
    async (visitor) => {
      await visitor.page.locator('.keyboard').waitFor();
      await tap(visitor, 'e', 'c', 'h', 'o', 'Space', 'é', 'Signs and F keys', '{', '_', '}', 'Enter');
      await visitor.sees('\né{_}');
      for (const one of await visitor.page.locator('.keyboard .key').all())
        expect((await one.boundingBox())?.width).toBeGreaterThanOrEqual(24);
      await shot(visitor.page, 'kiosk-keyboard-upright-signs');
      await tap(visitor, 'Letters');
      await shot(visitor.page, 'kiosk-keyboard-upright');
    },
    { viewport: { width: 360, height: 640 } },
  );
});

/** Works two switches until a key is pressed, knowing nothing but what is highlighted. */
async function choose(
  visitor: Visitor,
  name: string,
  next: () => Promise<unknown>,
  pick: () => Promise<unknown>,
): Promise<void> {
  const look = () =>
    visitor.page.evaluate((wanted) => {
      const all = [...document.querySelectorAll('.scanned')];
      return {
        hit: all.some((one) => one.getAttribute('aria-label') === wanted),
        alone: all.length === 1,
        words: `${all.map((one) => one.getAttribute('aria-label')).join('')}${document.querySelectorAll('.scanned-back').length}`,
      };
    }, name);
  for (let step = 0; step < 60; step++) {
    const now = await look();
    const done = now.hit && now.alone;
    await (now.hit ? pick() : next());
    await until('the highlight moves', async () => (await look()).words !== now.words);
    if (done) return;
  }
  throw new Error(`${name} was never reached`);
}

it('two keys are enough to type: one moves the highlight, the other chooses', async () => {
  await kiosk(['kiosk.switch_keys=F9,F10', 'kiosk.theme=high-contrast'], async (visitor) => {
    const next = () => visitor.page.keyboard.press('F9');
    const pick = () => visitor.page.keyboard.press('F10');
    // It's only there once a switch was used.
    expect(await visitor.page.locator('.keyboard').count()).toBe(1);
    expect(await visitor.page.locator('.keyboard').isVisible()).toBe(false);
    await next();
    await visitor.page.locator('.keyboard .scanned').first().waitFor();
    for (const name of [...'ls /etc/hostname']) {
      if (name === ' ') await choose(visitor, 'Space', next, pick);
      else await choose(visitor, name, next, pick);
    }
    await next();
    await next();
    await pick();
    await shot(visitor.page, 'kiosk-switch');
    await visitor.page.keyboard.press('F9');
    await choose(visitor, 'Enter', next, pick);
    await visitor.sees('\n/etc/hostname');
  });
});

it("two buttons of the machine do the same by their actions, and a person's answer is asked the same way", async () => {
  await kiosk(['kiosk.keyboard=never'], async (visitor, server) => {
    const next = () => server.cli('kiosk', 'switch', 'next');
    const pick = () => server.cli('do', 'kiosk switch choose');
    await server.cli('message', '--require-ack', 'Is anybody there?');
    await visitor.page.getByText('Is anybody there?').waitFor();
    await next();
    await visitor.page.locator('.message .scanned, button.scanned').first().waitFor();
    await pick();
    await until('it was read', async () => !(await visitor.page.getByText('Is anybody there?').isVisible()));
    for (const name of ['l', 's', 'Enter']) await choose(visitor, name, next, pick);
    await visitor.sees('$ ls\n');
    // Nobody's typing is written down.
    expect(server.log).not.toContain('switch');
  });
});

it('with a clock one switch is enough', async () => {
  const settings = ['kiosk.switch_keys=Space', 'kiosk.switch_scan=700'];
  await kiosk(settings, async (visitor) => {
    await visitor.page.keyboard.press('Space');
    const lit = (name: string) =>
      until(`${name} is highlighted`, () =>
        visitor.page.evaluate(
          (wanted) =>
            [...document.querySelectorAll('.scanned')].some(
              (one) => one.getAttribute('aria-label') === wanted,
            ),
          name,
        ),
      );
    const alone = () => visitor.page.evaluate(() => document.querySelectorAll('.scanned').length === 1);
    do {
      await lit('Escape');
      await visitor.page.keyboard.press('Space');
    } while (!(await alone()));
    // The first key of the first group: "Escape", then the next ones by the clock alone.
    await until(
      'the clock moved on',
      async () => !(await visitor.page.locator('.scanned[aria-label="Escape"]').count()),
    );
    await lit('1');
    await visitor.page.keyboard.press('Space');
    await visitor.sees('$ 1');
  });
});

it('type can be large and colours clear, at once when the settings change', async () => {
  await kiosk(
    ['kiosk.theme=high-contrast', 'kiosk.text_size=28', 'kiosk.keyboard=always', 'kiosk.screen_reader=true'],
    async (visitor) => {
      await until('the type is large', () =>
        visitor.page.evaluate(() => {
          const row = document.querySelector('.xterm-rows > div');
          return (row?.getBoundingClientRect().height ?? 0) > 28;
        }),
      );
      const colours = await visitor.page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        return [style.getPropertyValue('--ground'), style.getPropertyValue('--text')];
      });
      expect(colours).toEqual(['#000000', '#ffffff']);
      expect(await visitor.page.locator('.xterm-accessibility').count()).toBe(1);
      await visitor.run('ls --color=always /usr');
      await visitor.sees('share');
      await shot(visitor.page, 'kiosk-high-contrast');
      await visitor.page.setViewportSize({ width: 1920, height: 1080 });
      await until('the keyboard is no wider than hands are', async () => {
        const first = await key(visitor, 'Escape').boundingBox();
        return (first?.x ?? 0) > 300;
      });
      await shot(visitor.page, 'kiosk-high-contrast-large');
    },
  );
});

it("the administrator's page on the same screen has the keyboard for its login", async () => {
  const server = await Server.start({ args: ['--auth', 'local'] });
  const secret = /password: (\S+)/.exec(await server.cli('admin', 'password', '--reset'))?.[1] ?? '';
  const context = await browser.newContext({ viewport: SMALL });
  const page = await context.newPage();
  await page.goto(`${server.origin}/#admin&keys=always-us`);
  await page.waitForSelector('form.login');
  const press = async (name: string) =>
    page.locator('.keyboard').getByRole('button', { name, exact: true }).first().click();
  for (const name of [...'admim', 'Backspace', 'n', 'Tab', ...secret]) await press(name);
  await shot(page, 'kiosk-admin-keys-page');
  expect(await page.getByLabel('Name').inputValue()).toBe('admin');
  expect(await page.getByLabel('Password').inputValue()).toBe(secret);
  const form = await page.locator('form.login').boundingBox();
  const board = await page.locator('.keyboard').boundingBox();
  expect((form?.y ?? 0) + (form?.height ?? 0)).toBeLessThanOrEqual(board?.y ?? 0);
  await press('Enter');
  await page.locator('main.admin').waitFor();
  expect(await page.locator('.keyboard').isVisible()).toBe(true);
  await context.close();
  await server.stop();
});
