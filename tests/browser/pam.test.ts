// Logging in with a password of the machine, from the form to one's own shell: the page, the server, gatepost-login
// and PAM are the real ones.
import { createHmac } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { Account, Helper, isRoot, UNIX } from './helper.ts';
import { browser } from './page.ts';
import { PATIENCE, Server, until } from './server.ts';

const PASSWORD = 'korrekt-Pferd-7';

let undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

/** A machine with these PAM rules and one account, and the form in a browser of its own. */
async function machine(rules: (helper: Helper, account: Account) => string[]) {
  const account = new Account(PASSWORD);
  undo.push(() => account.remove());
  const helper = new Helper([]);
  writeFileSync(join(helper.folder, 'pam.d', 'gatepost'), `${rules(helper, account).join('\n')}\n`);
  undo.push(() => helper.stop());
  const settings = [`auth.pam.socket=${helper.socket}`, 'allow.use=true', 'allow.open=true'];
  const server = await Server.start({
    args: ['--auth', 'pam', ...settings.flatMap((setting) => ['--set', setting])],
  });
  undo.push(() => server.stop());
  await helper.listen(join(server.folder, 'run'));
  const context = await browser.newContext({ viewport: { width: 1000, height: 640 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  undo.push(() => context.close());
  await page.goto(server.origin);
  await page.waitForSelector('form.login');
  return { account, helper, server, page };
}

async function begin(page: Page, account: Account, password: string): Promise<void> {
  await page.getByLabel('Name').fill(account.name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
}

/** Types a command into the terminal in front until it shows this. */
async function shows(page: Page, command: string, text: string): Promise<void> {
  const screen = () =>
    page.evaluate(() => document.querySelector('.pane:not([hidden]) .xterm-rows')?.textContent ?? '');
  await page.waitForSelector('.pill.live');
  await page.waitForSelector('.pane:not([hidden]) .xterm-rows');
  // The shell has asked, and the keyboard is the terminal's: keys before that are somebody else's.
  await until('a prompt', async () => (await screen()).includes('$'));
  await page.waitForSelector('.pane:not([hidden]) textarea:focus', { state: 'attached' });
  await page.keyboard.type(`${command}\n`);
  let last = '';
  const seen = async () => {
    last = await screen();
    return last.includes(text);
  };
  await until(`the screen shows ${text}`, seen).catch((error) => {
    throw new Error(`${error.message}; it shows: ${last}`);
  });
}

/** A time-based code (RFC 6238) of this secret, as a phone shows it. */
function code(secret: Buffer): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', secret).update(counter).digest();
  const number = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

it.runIf(isRoot)('pam_two_prompts: a code from a phone is asked for after the password', async () => {
  // What `google-authenticator` writes; the secret is "12345678901234567890" in base 32.
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const { account, helper, page } = await machine(({ folder }) => {
    const file = join(folder, 'otp');
    writeFileSync(file, `${secret}\n" RATE_LIMIT 30 30\n" TOTP_AUTH\n`);
    chmodSync(file, 0o600);
    const code = `auth required pam_google_authenticator.so secret=${file} user=root`;
    return [...UNIX.slice(0, 1), code, ...UNIX.slice(1)];
  });
  await begin(page, account, PASSWORD);
  const field = page.getByLabel('Verification code');
  await field.fill('000000');
  expect(await field.getAttribute('autocomplete')).toBe('one-time-code');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'That was not right' }).waitFor();
  // Which of the two was wrong nobody is told.
  await begin(page, account, 'wrong');
  await field.fill(code(Buffer.from('12345678901234567890')));
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'That was not right' }).waitFor();
  await begin(page, account, PASSWORD);
  await field.fill(code(Buffer.from('12345678901234567890')));
  await page.keyboard.press('Enter');
  await shows(page, 'echo "<$(id -un)>"', `<${account.name}>`);
  expect(helper.log).not.toContain(PASSWORD);
});

it.runIf(isRoot)('pam_expired_password: it is changed on the way to the shell', async () => {
  const { account, helper, page } = await machine(() => UNIX);
  account.expire();
  await begin(page, account, PASSWORD);
  const fresh = 'ganz-anderes-Schaf-9';
  await page.getByLabel('Current password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByLabel('New password', { exact: true }).fill(fresh);
  await page.keyboard.press('Enter');
  await page.getByLabel('Retype new password').fill(fresh);
  await page.keyboard.press('Enter');
  await shows(page, 'echo "<$(id -un)>"', `<${account.name}>`);
  // The old one is worth nothing any more, the new one all.
  await page.context().clearCookies();
  await page.goto('about:blank');
  await page.goBack();
  await page.waitForSelector('form.login');
  await begin(page, account, PASSWORD);
  await page.getByRole('alert').filter({ hasText: 'That was not right' }).waitFor();
  await begin(page, account, fresh);
  await page.waitForSelector('.pill.live');
  expect(helper.log).not.toContain(fresh);
});

it.runIf(isRoot)(
  'after a restart of the server the page asks for the password before another terminal',
  async () => {
    const { account, server, page } = await machine(() => UNIX);
    await begin(page, account, PASSWORD);
    await shows(page, 'echo "<$(id -un)>"', `<${account.name}>`);
    await server.kill();
    await server.up();
    await page.waitForSelector('.pill.live');
    await shows(page, 'echo "<$((6*7))>"', '<42>');
    const another = () => page.getByRole('button', { name: 'Open a terminal' }).first().click();
    await another();
    await page.getByText('needs your password again').waitFor();
    // One may think better of it, and the terminal is there.
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.waitForSelector('.pill.live');
    expect(await page.locator('.tab').count()).toBe(1);
    await another();
    await begin(page, account, 'wrong');
    await page.getByRole('alert').filter({ hasText: 'That was not right' }).waitFor();
    await begin(page, account, PASSWORD);
    // What was wanted happens without another click.
    await until('there are two', async () => (await page.locator('.tab').count()) === 2);
    await shows(page, 'echo "<$(id -un) $((5*5))>"', `<${account.name} 25>`);
    expect(await page.locator('.logged-out').count()).toBe(0);
    // And from now on none is asked for.
    await another();
    await until('there are three', async () => (await page.locator('.tab').count()) === 3);
  },
);
