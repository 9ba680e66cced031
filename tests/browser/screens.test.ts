// Screens of every size, several at once, the kiosk's own, and a proxy in between.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { browser, Visitor } from './page.ts';
import { until, withServer } from './server.ts';

let asked = 0;

/** What the program in the terminal takes for its size. */
async function cells(visitor: Visitor): Promise<string> {
  const mark = `n${++asked}`;
  await visitor.run(`stty size | tr ' ' x | sed 's/.*/<&>${mark}/'`);
  const answer = new RegExp(`^<(\\d+x\\d+)>${mark}$`, 'm');
  return answer.exec(await visitor.sees(answer))?.[1] ?? '';
}

it('one screen decides the size; another sees it fitted, is told by whom, and can take it', () =>
  withServer(async (server) => {
    await server.open('shared');
    const large = await Visitor.enter(browser, server, { viewport: { width: 1200, height: 800 } });
    const wide = await cells(large);
    const small = await Visitor.enter(browser, server, { viewport: { width: 700, height: 500 } });
    const owner = small.page.locator('.owner', { hasText: 'Size decided by' });
    await owner.waitFor();
    expect(await cells(large)).toBe(wide);
    // All of it is in the small window.
    const inside = await small.page.evaluate(() => {
      const screen = document.querySelector('.pane:not([hidden]) .xterm-screen')?.getBoundingClientRect();
      return screen !== undefined && screen.right <= innerWidth && screen.bottom <= innerHeight;
    });
    expect(inside).toBe(true);
    await small.page.getByRole('button', { name: 'Take it' }).click();
    await owner.waitFor({ state: 'hidden' });
    await large.page.locator('.owner', { hasText: 'Size decided by' }).waitFor();
    await until('the program sees another size', async () => (await cells(small)) !== wide);
    large.content();
    small.content();
    await large.leave();
    await small.leave();
  }));

it('on a 7-inch panel there are at least 80×24 cells and nothing is cut off', () =>
  withServer(async (server) => {
    await server.open();
    const visitor = await Visitor.enter(browser, server, { viewport: { width: 800, height: 480 } });
    const [rows = 0, cols = 0] = (await cells(visitor)).split('x').map(Number);
    expect(cols).toBeGreaterThanOrEqual(80);
    expect(rows).toBeGreaterThanOrEqual(24);
    const overflow = await visitor.page.evaluate(
      () =>
        document.documentElement.scrollWidth > innerWidth ||
        document.documentElement.scrollHeight > innerHeight,
    );
    expect(overflow).toBe(false);
    visitor.content();
    await visitor.leave();
  }));

it('a phone has Esc, Ctrl, Tab and arrows', () =>
  withServer(async (server) => {
    await server.open();
    const visitor = await Visitor.enter(browser, server, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const bar = visitor.page.getByRole('toolbar', { name: 'Keys' });
    const tap = (name: string) => bar.getByRole('button', { name, exact: true }).tap();
    await visitor.page.locator('.pane:not([hidden])').tap();
    await visitor.run('cat -v');
    await visitor.sees('cat -v');
    await tap('Escape');
    await visitor.sees('^[');
    await tap('Up');
    await visitor.sees('^[[A');
    await tap('Ctrl');
    await visitor.type('c');
    await visitor.sees('^C');
    await visitor.run('echo after$((1))');
    await visitor.sees('after1');
    visitor.content();
    await visitor.leave();
  }));

it('wide letters and emoji take the cells the server says', () =>
  withServer(async (server) => {
    await server.open();
    const visitor = await Visitor.enter(browser, server);
    await visitor.run("clear; printf '漢字かな|\\n'; printf '🦀🎉|\\n'; printf '\\033[1;40Hend\\033[5;1H'");
    await visitor.sees(/漢字かな\| {30}end/);
    await visitor.sees('🦀🎉|');
    visitor.content();
    await visitor.leave();
  }));

it('behind a proxy with a prefix everything works', async () => {
  const port = await freePort();
  await withServer(
    async (server) => {
      const nginx = await Nginx.start(port, '/some/where/', server.port);
      try {
        await server.open();
        const token = new URL(await server.url()).hash;
        const visitor = await Visitor.enter(browser, server, {
          url: `http://127.0.0.1:${port}/some/where/${token}`,
        });
        await visitor.run('echo through$((1))');
        await visitor.sees('through1');
        await visitor.page.reload();
        await visitor.live();
        await visitor.sees('through1');
        await visitor.page.keyboard.press('Control+Alt+f');
        await visitor.page.locator('.search').waitFor();
        visitor.content();
        await visitor.leave();
      } finally {
        await nginx.stop();
      }
    },
    ['--public-url', `http://127.0.0.1:${port}/some/where/`],
  );
});

it('the kiosk shows its terminal and nothing else, keeps nothing, and follows no link', () =>
  withServer(async (server) => {
    const token = new URL(await server.url()).hash;
    const visitor = await Visitor.enter(browser, server, {
      url: `${server.origin}/${token}&kiosk=1`,
      viewport: { width: 800, height: 480 },
    });
    await visitor.page.waitForSelector('.painted .pane');
    expect(await visitor.page.locator('.bar, .keybar, .tabs').count()).toBe(0);
    const list = await server.cli('terminal', 'list');
    expect(list).toContain('kiosk');
    await visitor.type('typed at the kiosk');
    await visitor.sees('typed at the kiosk');
    expect(await visitor.page.evaluate(() => localStorage.length)).toBe(0);
    const prevented = await visitor.page.evaluate(
      () => !document.body.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true })),
    );
    expect(prevented).toBe(true);
    // A second look finds the same terminal.
    await visitor.page.reload();
    await visitor.page.waitForSelector('.painted .pane');
    await visitor.sees('typed at the kiosk');
    expect((await server.cli('terminal', 'list')).match(/kiosk/g)).toHaveLength(1);
    visitor.content();
    await visitor.leave();
  }));

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** An nginx of one test, with the block the documentation recommends. */
class Nginx {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(port: number, prefix: string, upstream: number): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'gatepost-nginx-'));
    await mkdir(join(folder, 'tmp'));
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path tmp/${name};`,
    );
    await writeFile(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid nginx.pid; error_log stderr warn;
       events { worker_connections 64; }
       http {
         access_log off; ${paths.join(' ')}
         map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
         server {
           listen 127.0.0.1:${port};
           location ${prefix} {
             proxy_pass http://127.0.0.1:${upstream}/;
             proxy_http_version 1.1;
             proxy_set_header Host $http_host;
             proxy_set_header Upgrade $http_upgrade;
             proxy_set_header Connection $connection_upgrade;
             proxy_buffering off;
             proxy_read_timeout 1h;
           }
         }
       }`,
    );
    const nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    });
    let said = '';
    nginx.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until('nginx answers', async () => {
      if (nginx.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      return (await fetch(`http://127.0.0.1:${port}/`).catch(() => null)) !== null;
    });
    return new Nginx(nginx, folder);
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }
}
