// Logging in elsewhere: the button, another site's pages, and back with a cookie that counts.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { browser } from './page.ts';
import { Server, until } from './server.ts';

/** The certified provider, on another site than ours. */
async function provider() {
  const folder = new URL('../peers/oidc', import.meta.url).pathname;
  const child = spawn('node', ['provider.mjs'], {
    cwd: folder,
    env: { ...process.env, PEER_HOST: 'localhost' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  const issuer = await until('the provider listens', async () => said[0]);
  const configure = async (settings: unknown) => {
    child.stdin.write(`${JSON.stringify(settings)}\n`);
    await until('the provider is ready', async () => said.includes('ready'));
  };
  return { issuer, configure, stop: () => child.kill() };
}

it('a button leads to the provider, and back logged in, with a cookie other sites never see', async () => {
  const peer = await provider();
  const set = [
    'server.auth=oidc',
    `oidc.peer.issuer=${peer.issuer}`,
    'oidc.peer.client_id=gatepost',
    'oidc.peer.title=the tests',
  ];
  const server = await Server.start({ args: set.flatMap((one) => ['--set', one]) });
  const callback = `${server.origin}/login/oidc/peer/callback`;
  await peer.configure({ redirect_uris: [callback], method: 'none' });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.origin);
  await page.getByText('Log in with the tests').click();
  await page.waitForURL(`${peer.issuer}/**`);
  await page.locator('input[name=login]').fill('alice');
  await page.locator('input[name=password]').fill('x');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]', { hasText: 'Continue' }).click();
  await page.waitForURL(`${server.origin}/`);
  const who = await page.evaluate(async () => (await fetch('api/login')).json());
  expect(who).toMatchObject({ principal: 'user', user: 'alice@peer', way: 'oidc' });
  const cookies = await context.cookies(server.origin);
  const login = cookies.find(({ name }) => name.startsWith('gatepost_login_'));
  expect(login).toMatchObject({ sameSite: 'Strict', httpOnly: true });
  expect(cookies.some(({ name }) => name.startsWith('gatepost_sso_'))).toBe(false);
  expect(server.log).not.toContain(login?.value ?? 'no cookie');
  await context.close();
  await server.stop();
  peer.stop();
});
