// A real `gatepost serve` of one test: own folders, own port, killed and started again at will.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Folder with the executables: GATEPOST_BIN, or the debug build. */
export const BIN = process.env['GATEPOST_BIN'] ?? new URL('../../target/debug', import.meta.url).pathname;
const GATEPOST = join(BIN, 'gatepost');

/** How long anything may take to come true, in ms. */
export const PATIENCE = 60_000;

/** Waits until `look` gives something, asking again and again; never longer than {@link PATIENCE}. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  limit = PATIENCE,
): Promise<T> {
  const deadline = Date.now() + limit;
  let last: unknown = null;
  while (Date.now() < deadline) {
    try {
      const value = await look();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what}: not within ${limit} ms${last ? ` (${String(last)})` : ''}`);
}

/**
 * Tries until something takes less than `limit` ms, and says how long: a busy machine may delay any one try, what is
 * really slow is slow each time.
 */
export async function within(what: string, limit: number, tryIt: () => Promise<number>): Promise<void> {
  const tried: number[] = [];
  while (tried.length < 3) {
    const took = await tryIt();
    say(`${what}: after ${took} ms`);
    if (took < limit) return;
    tried.push(took);
  }
  throw new Error(`${what}: never within ${limit} ms, but ${tried.join(', ')}`);
}

/** Prints a figure for whoever reads the run. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export class Server {
  #process: ChildProcess | null = null;
  #log = '';
  port = 0;

  private constructor(
    readonly folder: string,
    private readonly options: { args: string[]; env: Record<string, string> },
  ) {}

  /** Starts one on a free port. */
  static async start(options: { args?: string[]; env?: Record<string, string> } = {}): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'gatepost-page-'));
    const server = new Server(folder, { args: options.args ?? [], env: options.env ?? {} });
    await server.up();
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it (again), on the port it had. */
  async up(): Promise<void> {
    const process_ = spawn(GATEPOST, ['serve', '--listen', `127.0.0.1:${this.port}`, ...this.options.args], {
      env: this.#env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = process_;
    let said = '';
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      this.#log += chunk.toString();
    };
    process_.stdout.on('data', listen);
    process_.stderr.on('data', listen);
    const port = await until('the server says its port', async () => {
      if (process_.exitCode !== null) throw new Error(`gatepost serve ended: ${said}`);
      return /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    });
    this.port = Number(port);
    // A certificate of its own is as good an answer as any.
    const answers = async () =>
      /https:\/\/127/.test(said)
        ? new Promise<boolean>((resolve, reject) => {
            const socket = connect(this.port, '127.0.0.1', () => resolve(socket.destroy().destroyed));
            socket.once('error', reject);
          })
        : (await fetch(`${this.origin}/health`)).ok;
    await until('the server answers', answers);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const process_ = this.#process;
    if (!process_ || process_.exitCode !== null || process_.signalCode !== null) return;
    const gone = new Promise((resolve) => process_.once('exit', resolve));
    process_.kill('SIGKILL');
    await gone;
  }

  /** Stops it, so that it answers nothing but connections stay open. `everything`: and its terminals. */
  async freeze(everything = false): Promise<void> {
    this.#process?.kill('SIGSTOP');
    if (everything) for (const pid of await this.#keepers()) process.kill(pid, 'SIGSTOP');
  }

  async thaw(): Promise<void> {
    for (const pid of await this.#keepers()) process.kill(pid, 'SIGCONT');
    this.#process?.kill('SIGCONT');
  }

  /** The processes that keep its terminals: known by the folder they serve. */
  async #keepers(): Promise<number[]> {
    const found: number[] = [];
    for (const name of await readdir('/proc')) {
      const command = await readFile(`/proc/${name}/comm`, 'utf8').catch(() => '');
      if (command.trim() !== 'gatepost-keeper') continue;
      const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
      if (environment.includes(`GATEPOST_RUNTIME_DIR=${this.folder}`)) found.push(Number(name));
    }
    return found;
  }

  /** Runs the command line against it. */
  async cli(...args: string[]): Promise<string> {
    const { stdout } = await run(GATEPOST, args, { env: this.#env() });
    return stdout.trim();
  }

  /** A fresh login address. */
  url(): Promise<string> {
    return this.cli('url');
  }

  /**
   * Opens a terminal and gives its id. Its shell reads no start-up files: the machine's own profile may take
   * its time.
   */
  open(name?: string, command = ['bash', '--norc', '--noprofile']): Promise<string> {
    return this.cli('terminal', 'open', ...(name ? ['--name', name] : []), '--', ...command);
  }

  get log(): string {
    return this.#log;
  }

  /** Ends the terminals, the server and everything it left. */
  async stop(): Promise<void> {
    try {
      const list = JSON.parse(await this.cli('terminal', 'list', '--json')) as unknown;
      const terminals = (Array.isArray(list) ? list : (list as { terminals: unknown[] }).terminals) as {
        id: string;
      }[];
      for (const { id } of terminals) await this.cli('terminal', 'close', id);
    } catch {
      // The server may be down: the keepers are found by their folder below.
    }
    await this.kill();
    await this.#endKeepers();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Kills only processes whose environment names this test's own folder. */
  async #endKeepers(): Promise<void> {
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      const [env, comm] = await Promise.all([
        readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
        readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
      ]);
      if (comm.startsWith('gatepost') && env.includes(this.folder)) process.kill(Number(pid), 'SIGKILL');
    }
  }

  #env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.folder,
      SHELL: '/bin/bash',
      LANG: 'C.UTF-8',
      PS1: '$ ',
      GATEPOST_RUNTIME_DIR: join(this.folder, 'run'),
      GATEPOST_STATE_DIR: join(this.folder, 'state'),
      ...this.options.env,
    };
  }
}

/** A test with a server of its own, started with these arguments. */
export async function withServer(
  body: (server: Server) => Promise<void>,
  args: string[] = [],
): Promise<void> {
  const server = await Server.start({ args });
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}
