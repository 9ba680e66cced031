// One viewer of one terminal: frames in and out, acknowledgements, what is known of the terminal.
import type { Link } from './connection.ts';
import {
  type Attach,
  clampSize,
  decode,
  encode,
  type FromViewer,
  type Hello,
  inputs,
  type Meta,
  type Notice,
  type Request,
  type Size,
  type ToViewer,
} from './frames.ts';
import { Driver } from './link.ts';
import type { Paint } from './painter.ts';

/** Whoever shows the terminal. */
export interface Watcher {
  /** What to ask for when attaching (again). */
  attach(): Attach;
  /** Something to paint; `parsed` is to be called once the emulator has parsed it. */
  paint(paint: Paint, parsed: () => void): void;
  /** The link's state or the terminal's meta changed; `bells` is how many rang since the last time. */
  changed(bells: number): void;
  notice(notice: Notice): void;
}

/** An answer of the keeper: `{"ok": …}` or `{"error": …}`. */
type Answer<T> = { ok: T } | { error: { kind: string; message: string } };

/** Longest wait for an answer to a question how far it is, in ms. */
const ROUND_TRIP_LIMIT = 2000;

export class Attachment {
  meta: Meta = {};
  hello: Hello | null = null;
  readonly #driver: Driver;
  readonly #pongs = new Map<number, () => void>();
  readonly #asked = new Map<number, { parts: Uint8Array[]; done: (body: Uint8Array | null) => void }>();
  #request = 0;
  #received = 0;
  #acked = 0;

  constructor(
    readonly terminal: string,
    private readonly watcher: Watcher,
  ) {
    this.#driver = new Driver({
      path: 'ws/terminal',
      first: (token) => JSON.stringify({ token, terminal, attach: watcher.attach() }),
      message: (data) => this.#message(data),
      ping: () => this.#send({ type: 'ping', value: Date.now() }),
      changed: (link) => {
        if (link.phase !== 'live') this.#lost();
        this.watcher.changed(0);
      },
    });
  }

  get link(): Link {
    return this.#driver.link;
  }

  get live(): boolean {
    return this.link.phase === 'live';
  }

  /** Whether this viewer's screen decides the size. */
  get ownsSize(): boolean {
    return this.hello !== null && this.meta.size_owner === this.hello.viewer;
  }

  start(): void {
    this.#driver.start();
  }

  stop(): void {
    this.#driver.stop();
  }

  /** Types bytes; `false` when nothing was sent, and nothing will be later either. */
  type(bytes: Uint8Array): boolean {
    if (!this.live || this.hello?.mode !== 'type') return false;
    for (const frame of inputs(bytes)) if (!this.#send(frame)) return false;
    return true;
  }

  resize(size: Size): void {
    this.#send({ type: 'resize', size: clampSize(size) });
  }

  takeSize(size: Size): void {
    this.resize(size);
    this.#send({ type: 'take-size' });
  }

  restart(): void {
    this.#send({ type: 'restart' });
  }

  /** How long the way to the terminal and back takes, in ms; `null` when nothing comes back. */
  roundTrip(): Promise<number | null> {
    return new Promise((resolve) => {
      const began = performance.now();
      // Not a moment's number, which the driver's own pings have.
      const value = ++this.#request;
      const done = (took: number | null) => {
        this.#pongs.delete(value);
        clearTimeout(timer);
        resolve(took);
      };
      const timer = setTimeout(() => done(null), ROUND_TRIP_LIMIT);
      this.#pongs.set(value, () => done(performance.now() - began));
      if (!this.#send({ type: 'ping', value })) done(null);
    });
  }

  /** Asks the keeper; rejects with its words. */
  async ask<T>(request: Request): Promise<T> {
    const body = await new Promise<Uint8Array | null>((done) => {
      const id = ++this.#request;
      this.#asked.set(id, { parts: [], done });
      if (!this.#send({ type: 'request', id, request })) {
        this.#asked.delete(id);
        done(null);
      }
    });
    if (!body) throw new Error('the terminal is not connected');
    const answer = JSON.parse(new TextDecoder().decode(body)) as Answer<T>;
    if ('error' in answer) throw new Error(answer.error.message);
    return answer.ok;
  }

  /**
   * Acknowledges what the emulator has parsed: at once when nothing is waiting (the keeper may be about to
   * repaint), else each quarter of the window, so that a flood costs few frames.
   */
  #parsed(seq: number): void {
    const quarter = (this.hello?.window ?? 0) / 4;
    if (seq > this.#acked && (seq >= this.#received || seq - this.#acked >= quarter)) {
      this.#acked = seq;
      this.#send({ type: 'ack', seq });
    }
  }

  #paint(paint: Paint): false {
    this.#received = paint.seq;
    const { hello } = this;
    // What an earlier connection still had in the emulator must not be acknowledged on this one.
    this.watcher.paint(paint, () => this.hello === hello && this.#parsed(paint.seq));
    return false;
  }

  #send(frame: FromViewer): boolean {
    return this.#driver.send(encode(frame));
  }

  #lost(): void {
    for (const { done } of this.#asked.values()) done(null);
    this.#asked.clear();
  }

  #message(data: ArrayBuffer | string): boolean {
    if (typeof data === 'string') return false;
    let frame: ToViewer | null;
    try {
      frame = decode(new Uint8Array(data));
    } catch (error) {
      this.#driver.fault(`the server sent what this page can't read: ${String(error)}`);
      return false;
    }
    if (!frame) return false;
    switch (frame.type) {
      case 'hello':
        this.hello = frame.hello;
        this.meta = this.meta.bells === undefined ? {} : { bells: this.meta.bells };
        this.#received = 0;
        this.#acked = 0;
        this.#merge(frame.hello.meta);
        return true;
      case 'output':
      case 'repaint':
        return this.#paint(frame);
      case 'meta':
        this.#merge(frame.meta);
        return false;
      case 'notice':
        this.watcher.notice(frame.notice);
        return false;
      case 'pong':
        this.#pongs.get(frame.value)?.();
        return false;
      case 'reply':
        this.#reply(frame.request, frame.last, frame.body);
        return false;
    }
  }

  #merge(meta: Meta): void {
    const known = this.meta.bells;
    this.meta = { ...this.meta, ...meta };
    const bells = known === undefined ? 0 : Math.max(0, (this.meta.bells ?? 0) - known);
    this.watcher.changed(bells);
  }

  #reply(id: number, last: boolean, body: Uint8Array): void {
    const asked = this.#asked.get(id);
    if (!asked) return;
    asked.parts.push(body.slice());
    if (!last) return;
    this.#asked.delete(id);
    const whole = new Uint8Array(asked.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of asked.parts) {
      whole.set(part, at);
      at += part.length;
    }
    asked.done(whole);
  }
}
