// The login form, the administrator's first password on the kiosk, and where one is logged in.
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { browser, Visitor } from './page.ts';
import { PATIENCE, Server, until } from './server.ts';

let server: Server;
beforeEach(async () => {
  server = await Server.start({
    args: ['--auth', 'local', '--set', 'auth.throttle.failure_milliseconds=50'],
  });
});
afterEach(() => server.stop());

/** The form in a browser of its own. */
async function form(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 800, height: 480 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(server.origin);
  await page.waitForSelector('form.login');
  return page;
}

async function password(): Promise<string> {
  return /password: (\S+)/.exec(await server.cli('admin', 'password', '--reset'))?.[1] ?? '';
}

async function logIn(page: Page, secret: string): Promise<void> {
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password').fill(secret);
  await page.keyboard.press('Enter');
}

it('a wrong password is said so, and the right one leads to a terminal', async () => {
  const secret = await password();
  const page = await form();
  expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('username');
  await logIn(page, 'wrong');
  await page.getByRole('alert').filter({ hasText: 'That was not right' }).waitFor();
  expect(await page.getByLabel('Name').inputValue()).toBe('admin');
  expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('password');
  await logIn(page, secret);
  await page.waitForSelector('.pill.live');
  expect(await page.locator('form.login').count()).toBe(0);
  await page.context().close();
});

it('every prompt is asked in its turn, with what is said on the way', async () => {
  const page = await form();
  const turns = [
    { conversation: 'a', notes: [], prompts: [{ text: 'Password: ', echo: false }] },
    {
      conversation: 'a',
      notes: [{ text: '<b>Your password has expired</b>', error: true }],
      prompts: [
        { text: 'New password: ', echo: false },
        { text: 'Retype new password: ', echo: false },
      ],
    },
    { conversation: 'a', notes: [], prompts: [{ text: 'Favourite colour: ', echo: true }] },
  ];
  const said: unknown[] = [];
  await page.route('**/api/login/pam', async (route) => {
    said.push(route.request().postDataJSON());
    const turn = turns.shift();
    await (turn ? route.fulfill({ json: turn }) : route.fulfill({ status: 204 }));
  });
  await logIn(page, 'old');
  await page.getByText('<b>Your password has expired</b>').waitFor();
  await page.getByLabel('New password', { exact: true }).fill('new');
  await page.getByLabel('Retype new password').fill('new');
  await page.keyboard.press('Enter');
  await page.getByLabel('Favourite colour').fill('green');
  expect(await page.getByLabel('Favourite colour').getAttribute('type')).toBe('text');
  await page.keyboard.press('Enter');
  await until('everything was sent', async () => said.length === 4);
  expect(said).toEqual([
    { user: 'admin' },
    { conversation: 'a', answers: ['old'] },
    { conversation: 'a', answers: ['new', 'new'] },
    { conversation: 'a', answers: ['green'] },
  ]);
  await page.context().close();
});

it('a login ended elsewhere asks again over the terminals, and goes on where it was', async () => {
  const secret = await password();
  const page = await form();
  await logIn(page, secret);
  await page.waitForSelector('.pill.live');
  await server.cli('logins', 'revoke', '--user', 'admin');
  await page.waitForSelector('form.login');
  await logIn(page, secret);
  await page.waitForSelector('.pill.live');
  expect(await page.locator('.tab').count()).toBe(1);
  await page.context().close();
});

it('a late no to the login before is no reason to ask again', async () => {
  await server.open();
  const visitor = await Visitor.enter(browser, server);
  await visitor.page.evaluate(() => {
    new MutationObserver(() => {
      if (document.querySelector('.logged-out')) document.title = 'asked';
    }).observe(document.body, { childList: true, subtree: true });
  });
  let asked = 0;
  await visitor.page.route('**/api/token', (route) => {
    asked++;
    return asked === 1 ? route.fulfill({ status: 401, json: {} }) : route.continue();
  });
  await server.kill();
  await server.up();
  await until('it asked again', async () => asked > 1);
  await visitor.live();
  expect(await visitor.page.title()).not.toBe('asked');
  await visitor.leave();
});

it('one sees where one is logged in, and ends what one does not know', async () => {
  const secret = await password();
  const [here, there] = [await form(), await form()];
  for (const page of [here, there]) {
    await logIn(page, secret);
    await page.waitForSelector('.pill.live');
  }
  await here.getByRole('button', { name: 'Menu' }).click();
  await here.locator('.menu button', { hasText: 'Where am I logged in' }).click();
  await here.getByText('this browser').waitFor();
  expect(await here.locator('.logins li').count()).toBe(2);
  await here.locator('.logins button').click();
  await there.waitForSelector('form.login');
  expect(await here.locator('.logins li').count()).toBe(1);
  await here.context().close();
  await there.context().close();
});

it("the kiosk's screen shows the first password until it is noted, and no other does", async () => {
  const kiosk = await Visitor.enter(browser, server, { url: await server.cli('url', '--kiosk') });
  const shown = kiosk.page.locator('.identity .secret');
  await shown.waitFor();
  const secret = (await shown.textContent()) ?? '';
  expect(secret).toMatch(/^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/);
  await kiosk.page.keyboard.press('Enter');
  await until('it is gone', async () => (await kiosk.page.locator('.identity').count()) === 0);
  const page = await form();
  await logIn(page, secret);
  await page.waitForSelector('.pill.live');
  const again = await Visitor.enter(browser, server, { url: await server.cli('url', '--kiosk') });
  await again.page.waitForSelector('.pane');
  expect(await again.page.locator('.identity').count()).toBe(0);
  await page.context().close();
  await kiosk.leave();
  await again.leave();
});

it('what another application hands out logs in from the address, and leaves it', async () => {
  await server.kill();
  const tokens = await Server.start({
    args: ['--auth', 'token', '--set', 'allow.use=true', '--set', 'allow.open=true'],
  });
  const token = await tokens.cli('token', 'new', '--user', 'alice');
  const visitor = await Visitor.enter(browser, tokens, { url: `${tokens.origin}/#wstoken=${token}` });
  expect(visitor.page.url()).not.toContain('wstoken');
  await visitor.leave();
  await tokens.stop();
});
