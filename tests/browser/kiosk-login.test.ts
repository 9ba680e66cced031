// People log in at the kiosk, one after another: the page, the server, gatepost-login and PAM are the real ones.
import { execFileSync } from 'node:child_process';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { Account, Helper, isRoot, UNIX } from './helper.ts';
import { browser, shot } from './page.ts';
import { PATIENCE, Server, until } from './server.ts';

const PASSWORD = 'korrekt-Pferd-7';

let undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

interface Kiosk {
  account: Account;
  server: Server;
  context: BrowserContext;
  page: Page;
}

/** A machine with one account, at whose own screen people log in, and that screen. */
async function kiosk(...more: string[]): Promise<Kiosk> {
  const account = new Account(PASSWORD);
  undo.push(() => account.remove());
  const helper = new Helper(UNIX);
  undo.push(() => helper.stop());
  const settings = [
    'kiosk.login=true',
    `auth.pam.socket=${helper.socket}`,
    'auth.throttle.failure_milliseconds=100',
    'allow.use=true',
    'allow.open=true',
    ...more,
  ];
  const server = await Server.start({
    args: ['--auth', 'pam', ...settings.flatMap((setting) => ['--set', setting])],
  });
  undo.push(() => server.stop());
  await helper.listen(`${server.folder}/run`);
  const [context, page] = await screen(server);
  return { account, server, context, page };
}

/** What the window shows when it is opened: nothing is left of an earlier one. */
async function screen(server: Server): Promise<[BrowserContext, Page]> {
  const context = await browser.newContext({ viewport: { width: 800, height: 480 } });
  undo.push(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(await server.cli('url', '--kiosk'));
  return [context, page];
}

async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.waitForSelector('form.login');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
}

const refused = (page: Page) => page.getByRole('alert').filter({ hasText: 'That was not right' }).waitFor();

/** Types a command into their terminal until it shows this. */
async function shows(page: Page, command: string, text: string): Promise<void> {
  const shown = () => page.evaluate(() => document.querySelector('.xterm-rows')?.textContent ?? '');
  await until('a prompt', async () => (await shown()).includes('$'));
  await page.waitForSelector('.pane textarea:focus', { state: 'attached' });
  await page.keyboard.type(`${command}\n`);
  await until(`the screen shows ${text}`, async () => (await shown()).includes(text));
}

/** Asks the server with everything this browser has. */
async function status(server: Server, cookies: string, method: string, path: string): Promise<number> {
  const answer = await fetch(`${server.origin}/${path}`, {
    method,
    headers: { Origin: server.origin, Cookie: cookies, 'Content-Type': 'application/json' },
    ...(method === 'POST' ? { body: '{}' } : {}),
  });
  return answer.status;
}

async function cookiesOf(context: BrowserContext): Promise<string> {
  return (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
}

async function terminals(server: Server): Promise<number> {
  return (JSON.parse(await server.cli('terminal', 'list', '--json')) as { terminals: unknown[] }).terminals
    .length;
}

const text = (page: Page) => page.evaluate(() => document.body.innerText);

it.runIf(isRoot)('nothing but the screen itself is there before somebody has logged in', async () => {
  const { server, context, page } = await kiosk();
  await page.waitForSelector('form.login');
  const cookies = await cookiesOf(context);
  expect(cookies).toContain('gatepost_screen_');
  expect(cookies).not.toContain('gatepost_login_');
  // Also under the name that a person's login has.
  const asPerson = cookies.replaceAll('gatepost_screen_', 'gatepost_login_');
  for (const those of [cookies, asPerson]) {
    for (const [method, path] of [
      ['GET', 'api/login'],
      ['GET', 'api/me'],
      ['GET', 'api/terminals'],
      ['POST', 'api/terminals'],
      ['POST', 'api/actions'],
      ['GET', 'api/commands'],
      ['GET', 'api/choices'],
      ['GET', 'api/logins'],
      ['POST', 'api/token'],
      ['POST', 'api/logout'],
      ['GET', 'ws/terminal'],
      ['GET', 'ws/events'],
    ] as const)
      expect([method, path, await status(server, those, method, path)]).toEqual([method, path, 401]);
  }
  // What the screen is for is there.
  expect(await status(server, cookies, 'POST', 'api/kiosk/token')).toBe(200);
  expect(await terminals(server)).toBe(0);
});

it.runIf(isRoot)('whoever logs in has their own shell, and its end leads back to the login', async () => {
  const { account, server, context, page } = await kiosk();
  await logIn(page, account.name, 'wrong');
  await refused(page);
  await shot(page, 'kiosk-login-refused');
  await logIn(page, account.name, PASSWORD);
  await shows(page, 'echo "<$(id -un) $((6*7))>"', `<${account.name} 42>`);
  expect(await page.locator('.strip').innerText()).toContain(account.name);
  await shot(page, 'kiosk-login-shell');
  const cookies = await cookiesOf(context);
  expect(await status(server, cookies, 'GET', 'api/me')).toBe(200);
  await page.keyboard.type('exit\n');
  await page.waitForSelector('form.login');
  expect(await status(server, cookies, 'GET', 'api/me')).toBe(401);
  expect(await text(page)).not.toContain(account.name);
  expect(await page.locator('.pane').count()).toBe(0);
  await until('the terminal has gone', async () => (await terminals(server)) === 0);
  // And the next one comes.
  await logIn(page, account.name, PASSWORD);
  await shows(page, 'echo "<$((5*5))>"', '<25>');
});

it.runIf(isRoot)('nobody there: a countdown, then the login, and nothing of the last person', async () => {
  const { account, server, context, page } = await kiosk(
    'kiosk.idle_reset=12s',
    'kiosk.idle_warning=8s',
    'kiosk.attract.title=Town Library',
  );
  await page.getByText('Touch or press a key').first().waitFor();
  // The key that leads to the form is not written into it.
  await page.keyboard.press('x');
  await logIn(page, account.name, PASSWORD);
  await shows(page, 'sleep 1000 & echo "<left $((6*7))>"', '<left 42>');
  const cookies = await cookiesOf(context);
  await page.getByText('This screen is reset in').waitFor();
  // Whoever is there calls it off.
  await page.keyboard.press('y');
  await until('it is called off', async () => !(await page.locator('.countdown').isVisible()));
  expect(await status(server, cookies, 'GET', 'api/me')).toBe(200);
  await page.getByText('Town Library').waitFor();
  expect(await status(server, cookies, 'GET', 'api/me')).toBe(401);
  expect(await page.evaluate(() => document.body.textContent)).not.toContain('left 42');
  await until('nothing of theirs runs', async () => {
    try {
      execFileSync('pgrep', ['-u', account.name]);
      return false;
    } catch {
      return true;
    }
  });
  await page.keyboard.press('z');
  await page.waitForSelector('form.login');
  expect(await page.getByLabel('Name').inputValue()).toBe('');
});

it.runIf(isRoot)('a page that is lost leaves no login behind', async () => {
  const { account, server, context, page } = await kiosk('kiosk.idle_reset=6s', 'kiosk.idle_warning=2s');
  await logIn(page, account.name, PASSWORD);
  await shows(page, 'echo "<$((6*7))>"', '<42>');
  const cookies = await cookiesOf(context);
  // Another page in the same window: they are still there, and so is what they had.
  await page.goto('about:blank');
  await page.goto(await server.cli('url', '--kiosk'));
  await until('the same terminal', async () =>
    page.evaluate(() => document.querySelector('.xterm-rows')?.textContent?.includes('<42>')),
  );
  // No page at all: it ends all the same.
  await page.goto('about:blank');
  await until('the login has ended', async () => (await status(server, cookies, 'GET', 'api/me')) === 401);
  expect(await terminals(server)).toBe(0);
});

it.runIf(isRoot)('another window knows nobody, and whoever logs in again finds what they had', async () => {
  const { account, server, context, page } = await kiosk();
  await logIn(page, account.name, PASSWORD);
  await shows(page, 'echo "<$((6*7))>"', '<42>');
  const cookies = await cookiesOf(context);
  const [, other] = await screen(server);
  await other.waitForSelector('form.login');
  expect(await status(server, cookies, 'GET', 'api/me')).toBe(401);
  await logIn(other, account.name, PASSWORD);
  await until('the same terminal', async () =>
    other.evaluate(() => document.querySelector('.xterm-rows')?.textContent?.includes('<42>')),
  );
  await other.getByRole('button', { name: 'Log out' }).click();
  await other.waitForSelector('form.login');
  await until('it goes with them', async () => (await terminals(server)) === 0);
});

it.runIf(isRoot)('the keyboard on the screen writes name and password', async () => {
  const { account, page } = await kiosk('kiosk.keyboard=always');
  await page.waitForSelector('form.login');
  await page.locator('.keyboard').waitFor();
  const tap = async (word: string) => {
    for (const sign of word)
      await page.locator('.keyboard').getByRole('button', { name: sign, exact: true }).first().click();
  };
  const form = await page.locator('form.login').boundingBox();
  const keys = await page.locator('.keyboard').boundingBox();
  expect(form?.y ?? 0).toBeLessThan(keys?.y ?? 0);
  await page.getByLabel('Name').click();
  await tap(account.name);
  expect(await page.getByLabel('Name').inputValue()).toBe(account.name);
  await page.locator('.keyboard').getByRole('button', { name: 'Tab', exact: true }).click();
  await shot(page, 'kiosk-login');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.locator('.keyboard').getByRole('button', { name: 'Enter', exact: true }).click();
  await shows(page, 'echo "<$(id -un)>"', `<${account.name}>`);
});

it.runIf(isRoot)('failures at the kiosk make the kiosk wait, and nobody else on this machine', async () => {
  const { account, server, page } = await kiosk(
    'auth.throttle.address_failures=3',
    'auth.throttle.wait=3600',
  );
  for (const name of ['eve', 'mallory', 'trudy']) {
    await logIn(page, name, 'wrong');
    await refused(page);
  }
  await logIn(page, account.name, PASSWORD);
  await refused(page);
  expect(await server.cli('logins', 'locked')).toContain('kiosk');
  const context = await browser.newContext();
  undo.push(() => context.close());
  const elsewhere = await context.newPage();
  await elsewhere.goto(server.origin);
  await logIn(elsewhere, account.name, PASSWORD);
  await elsewhere.waitForSelector('.pill.live');
  await server.cli('logins', 'unlock', 'kiosk');
  await logIn(page, account.name, PASSWORD);
  await shows(page, 'echo "<$(id -un)>"', `<${account.name}>`);
});

it.runIf(isRoot)('who may not have a terminal is told so, and is not logged in', async () => {
  const { account, server, context, page } = await kiosk('allow.open=false');
  await logIn(page, account.name, PASSWORD);
  await page.getByText('You could log in, but there is no terminal for you').waitFor();
  await page.waitForSelector('form.login');
  expect(await cookiesOf(context)).not.toContain('gatepost_login_');
  expect(await terminals(server)).toBe(0);
});
