// A machine is set up: in front of its own screen, and from a phone at its access point. The helper behind the form is
// the real one.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { browser, shot, Visitor } from './page.ts';
import { BIN, PATIENCE, Server, until } from './server.ts';

const run = promisify(execFile);
const GATEPOST = join(BIN, 'gatepost');
const SCAN = `BSS 02:00:00:00:01:00(on wlan0)
\tcapability: ESS Privacy (0x0411)
\tsignal: -40.00 dBm
\tSSID: Office
BSS 02:00:00:00:02:00(on wlan0)
\tcapability: ESS (0x0401)
\tsignal: -75.00 dBm
\tSSID: Caf\\xc3\\xa9 <b>free</b>
`;

/** A machine that can be set up: folders, and who listens behind its sockets. */
class Machine {
  readonly #servers: NetServer[] = [];
  readonly #processes: ChildProcess[] = [];

  private constructor(readonly folder: string) {}

  static async new(): Promise<Machine> {
    const machine = new Machine(await mkdtemp(join(tmpdir(), 'gatepost-setup-')));
    for (const name of ['fat', 'sockets', 'system/etc', 'root/var/lib/gatepost-provision'])
      await mkdir(machine.at(name), { recursive: true });
    await machine.#behind('take.sock', [
      GATEPOST,
      ...['provision', 'take', '--from', machine.at('fat')],
      ...['--root', machine.at('root'), '--system', machine.at('system')],
    ]);
    await machine.#behind('scan.sock', ['printf', '%s', SCAN]);
    return machine;
  }

  at(below: string): string {
    return join(this.folder, below);
  }

  /** A process for each connection, as systemd starts them. */
  async #behind(name: string, [program, ...args]: string[]): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const child = spawn(program ?? '', args, { stdio: ['pipe', 'pipe', 'inherit'] });
      socket.pipe(child.stdin);
      child.stdin.on('error', () => {});
      child.stdout.pipe(socket);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(this.at(`sockets/${name}`), resolve));
  }

  /** The access point's page; its port. */
  async portal(): Promise<number> {
    const { server, fd, port } = await listening();
    const script = 'exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"';
    const state = this.at('root/var/lib/gatepost');
    const args = ['portal', '--address', '127.0.0.1', '--setup', this.at('sockets'), '--state', state];
    const child = spawn('sh', ['-c', script, 'sh', GATEPOST, ...args], { stdio: [fd, 'pipe', 'inherit'] });
    this.#processes.push(child);
    // It has the socket now; what comes is not for us.
    server.close();
    await until('the page is there', async () => (await fetch(`http://127.0.0.1:${port}/`)).ok);
    return port;
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) process.kill('SIGKILL');
    for (const server of this.#servers) server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A listening socket to pass on, and its port. */
async function listening(): Promise<{ server: NetServer; fd: number; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { server, fd, port: (server.address() as { port: number }).port };
}

async function withMachine(body: (machine: Machine) => Promise<void>): Promise<void> {
  const machine = await Machine.new();
  try {
    await body(machine);
  } finally {
    await machine.stop();
  }
}

it('whoever stands in front of a new machine makes it theirs, by phone or by keyboard', () =>
  withMachine(async (machine) => {
    const point = { ssid: 'Gatepost-1a2b', passphrase: 'kxTq7mWn4RpZ2v', address: 'http://10.74.0.1/' };
    await writeFile(machine.at('sockets/access-point.json'), JSON.stringify(point));
    const server = await Server.start({ args: ['--setup', machine.at('sockets')] });
    try {
      await symlink(machine.at('root/var/lib/gatepost-provision'), join(server.folder, 'gatepost-provision'));
      await server.cli('terminal', 'open', '--name', 'kiosk', '--', 'sh', '-c', 'echo ready; exec sh');
      const url = await server.cli('url', '--kiosk');
      const { page } = await Visitor.enter(browser, server, { url, viewport: { width: 1280, height: 800 } });
      const dialog = page.locator('dialog.set-up');
      await dialog.locator('svg').waitFor();
      await shot(page, 'setup-access-point');
      const picture = machine.at('screen.png');
      await page.screenshot({ path: picture });
      const { stdout } = await run('zbarimg', ['--quiet', '--raw', picture]);
      expect(stdout.trim()).toBe('WIFI:T:WPA;S:Gatepost-1a2b;P:kxTq7mWn4RpZ2v;;');

      await dialog.getByRole('button', { name: 'Set up here' }).click();
      await dialog.getByRole('button', { name: 'Office (strong)' }).click();
      expect(await dialog.getByRole('button', { name: 'Café <b>free</b> (weak, open)' }).count()).toBe(1);
      await dialog.getByLabel('Passphrase').fill('short');
      await dialog.locator('[name=name]').fill('Ada');
      await dialog.locator('[name=password]').fill('long enough');
      await dialog.locator('[name=hostname]').fill('kiosk-7');
      await dialog.getByRole('button', { name: 'Set up', exact: true }).click();
      await dialog.locator('[name=passphrase][aria-invalid=true]').waitFor();
      expect(await dialog.locator('[aria-invalid=true]').count()).toBe(2);
      expect(await dialog.locator('[role=alert]').textContent()).toContain('small letters');
      await shot(page, 'setup-kiosk');
      await dialog.getByLabel('Passphrase').fill('correct horse');
      await dialog.locator('[name=name]').fill('ada');
      await dialog.locator('[name=keyboard]').selectOption('de');
      await dialog.getByRole('button', { name: 'Set up', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      const name = await readFile(machine.at('root/var/lib/gatepost-provision/etc/hostname'), 'utf8');
      expect(name).toBe('kiosk-7\n');
      const board = await readFile(
        machine.at('root/var/lib/gatepost-provision/etc/default/keyboard'),
        'utf8',
      );
      expect(board).toContain('XKBLAYOUT="de"');
      await page.context().close();
    } finally {
      await server.stop();
    }
  }));

it('a phone at the access point sets it up, and later needs the administrator’s password', () =>
  withMachine(async (machine) => {
    const port = await machine.portal();
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.getByRole('button', { name: 'Office (strong)' }).click();
    await page.getByLabel('Passphrase').fill('correct horse');
    await page.locator('[name=country]').selectOption('DE');
    await page.locator('[name=name]').fill('ada');
    await page.locator('[name=password]').fill('long enough');
    await shot(page, 'setup-page');
    await page.getByRole('button', { name: 'Set up' }).click();
    await page.getByText('tries the network Office').waitFor();

    await page.reload();
    await page.getByText('Changes need the password of ada').waitFor();
    await page.locator('[name=hostname]').fill('other');
    await page.getByRole('button', { name: 'Set up' }).click();
    await page.getByText('password is not right').waitFor();
    await page.locator('[name=admin_password]').fill('long enough');
    await page.getByRole('button', { name: 'Set up' }).click();
    await page.getByText('It is as you said').waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  }));
