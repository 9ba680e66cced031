// A real gatepost-login behind a socket, as systemd starts one for each connection, with PAM rules of a test's own
// and real accounts. Needs root.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as Listener, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN } from './server.ts';

/** Whether accounts can be made. */
export const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('NOT RUN: needs root (real accounts are made)\n');

/** Rules that ask the password file. */
export const UNIX = [
  'auth     required pam_unix.so',
  'account  required pam_unix.so',
  'password required pam_unix.so sha512',
  'session  required pam_unix.so',
];

/** A Unix account with a password. */
export class Account {
  readonly name = `gp${randomBytes(5).toString('hex')}`;

  constructor(readonly password: string) {
    execFileSync('useradd', ['-m', '-s', '/bin/bash', this.name]);
    execFileSync('chpasswd', { input: `${this.name}:${password}\n` });
  }

  /** The password has to be changed at the next login. */
  expire(): void {
    execFileSync('chage', ['-d', '0', this.name]);
  }

  remove(): void {
    try {
      execFileSync('userdel', ['-r', '-f', this.name], { stdio: 'ignore' });
    } catch {
      // It has no mail folder, and says so.
    }
  }
}

export class Helper {
  // Where the accounts it runs as can reach it: the build folder may be in root's own.
  readonly folder = mkdtempSync(join(tmpdir(), 'gatepost-login-'));
  readonly #children: ChildProcess[] = [];
  #listener: Listener | null = null;

  constructor(rules: string[]) {
    execFileSync('chmod', ['755', this.folder]);
    for (const name of ['gatepost-login', 'gatepost-keeper'])
      execFileSync('cp', [join(BIN, name), this.folder]);
    mkdirSync(join(this.folder, 'pam.d'));
    writeFileSync(join(this.folder, 'pam.d', 'gatepost'), `${rules.join('\n')}\n`);
    writeFileSync(join(this.folder, 'pam.d', 'other'), 'auth required pam_deny.so\n');
  }

  get socket(): string {
    return join(this.folder, 'login.sock');
  }

  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  /** Begins to listen, for a server with this runtime folder. */
  listen(runtime: string): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const words = ['--server-user', 'root', '--keeper-user', 'nobody', '--failure', '300'];
    const places: [string, string][] = [
      ['--keeper', join(this.folder, 'gatepost-keeper')],
      ['--terminals', join(runtime, 'terminals')],
      ['--pam-dir', join(this.folder, 'pam.d')],
      ['--identities', join(this.folder, 'identities')],
      ['--utmp', join(this.folder, 'utmp')],
    ];
    const begin = (connection: Socket) => {
      const child = spawn(join(this.folder, 'gatepost-login'), [...words, ...places.flat()], {
        stdio: [connection, 'ignore', log],
      });
      this.#children.push(child);
      // It has its own copy of the connection.
      connection.destroy();
    };
    const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true }, begin);
    this.#listener = listener;
    return new Promise((resolve) => listener.listen(this.socket, resolve));
  }

  /** Ends the helpers and what they hold. */
  async stop(): Promise<void> {
    const gone = this.#children
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .map((child) => {
        const end = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        return end;
      });
    await Promise.all(gone);
    this.#listener?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
