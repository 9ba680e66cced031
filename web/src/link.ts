// Drives one WebSocket by the state machine of connection.ts: tokens, opening, heartbeat, trying again.
import { ApiError, isScreen, loggedIn, oneTimeToken, screenToken, socketAddress } from './api.ts';
import { type Effect, type Event, IDLE, type Link, step, TICK } from './connection.ts';

/** The subprotocol both WebSockets speak. */
const SUBPROTOCOL = 'gatepost.v1';

/** Whose login a socket is opened with. */
export interface As {
  token(): Promise<string>;
  /** Whether that login is there still. */
  known(): Promise<boolean>;
}

/** The machine's own screen's. */
export const SCREEN: As = { token: screenToken, known: isScreen };

/** What a kind of socket adds. */
export interface Use {
  /** Path beside the page. */
  path: string;
  /** Whose login; if absent, that of whoever uses the page. */
  as?: As;
  /** The first message. */
  first(token: string): string;
  /** A message came; `true` when it was the one that makes the link live. */
  message(data: ArrayBuffer | string): boolean;
  /** Ask for a sign of life; absent: this socket isn't asked. */
  ping?(): void;
  /** The state changed. */
  changed(link: Link): void;
}

/** A token asked for ahead of its use; good for 20 s. */
let ahead: { token: Promise<string>; until: number } | null = null;

/** Asks for the first token while the page is still finding out what to attach to. */
export function tokenAhead(): void {
  const token = oneTimeToken();
  // Whoever takes it hears of a failure; if nobody does, nobody needs to.
  token.catch(() => {});
  ahead = { token, until: Date.now() + 10_000 };
}

function token(): Promise<string> {
  const taken = ahead;
  ahead = null;
  return taken && Date.now() < taken.until ? taken.token : oneTimeToken();
}

const PERSON: As = { token, known: loggedIn };

/** All drivers of this page: one clock for all, and one that gets through wakes the others. */
const drivers = new Set<Driver>();

/** Wakes every link: the page is seen again, the network is back, somebody pressed "try now". */
export function wakeAll(): void {
  for (const driver of drivers) driver.feed({ type: 'wake' });
}

/** Tells every link that somebody logged in again. */
export function loggedInAgain(): void {
  for (const driver of drivers) driver.feed({ type: 'logged-in' });
}

/** Starts the page's clock and listens for what makes it worth trying at once. */
export function startClock(): void {
  setInterval(() => {
    for (const driver of drivers) driver.feed({ type: 'tick', random: Math.random() });
  }, TICK);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wakeAll();
  });
  for (const name of ['online', 'offline', 'pageshow', 'resume']) addEventListener(name, wakeAll);
}

export class Driver {
  link: Link = IDLE;
  #socket: WebSocket | null = null;
  /** Counts openings, so that what belongs to an earlier one is ignored. */
  #opening = 0;

  constructor(private readonly use: Use) {}

  get #as(): As {
    return this.use.as ?? PERSON;
  }

  start(): void {
    drivers.add(this);
    this.feed({ type: 'start' });
  }

  stop(): void {
    drivers.delete(this);
    this.feed({ type: 'stop' });
  }

  /** Sends when live; `false` when it can't be sent. */
  send(data: Uint8Array<ArrayBuffer>): boolean {
    if (this.link.phase !== 'live' || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data);
    return true;
  }

  feed(event: Event): void {
    const before = this.link;
    const [link, effects] = step(before, Date.now(), event);
    this.link = link;
    for (const effect of effects) this.#perform(effect);
    if (link !== before && (link.phase !== before.phase || link.phase === 'lost'))
      this.use.changed(this.link);
    if (link.phase === 'live' && before.phase === 'connecting' && link.tries === 0 && before.wasLive) {
      // The server is back: the others needn't wait for their turn.
      for (const driver of drivers) if (driver.link.phase === 'lost') driver.feed({ type: 'wake' });
    }
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case 'open':
        void this.#open();
        break;
      case 'close':
        this.#opening++;
        this.#drop();
        break;
      case 'ping':
        if (this.use.ping) this.use.ping();
        else if (this.#socket?.readyState === WebSocket.OPEN) this.feed({ type: 'heard' });
        break;
      case 'check-login':
        void this.#as.known().then(
          (yes) => yes || this.feed({ type: 'logged-out' }),
          () => {},
        );
        break;
    }
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  async #open(): Promise<void> {
    this.#drop();
    const opening = ++this.#opening;
    let secret: string;
    try {
      secret = await this.#as.token();
    } catch (error) {
      // The question may have crossed a new login: then it is only to be asked again.
      const out =
        error instanceof ApiError && error.status === 401 && !(await this.#as.known().catch(() => true));
      if (opening !== this.#opening) return;
      if (out) this.feed({ type: 'logged-out' });
      else this.feed({ type: 'closed', code: 1006, reason: reasonOf(error), random: Math.random() });
      return;
    }
    if (opening !== this.#opening) return;
    const socket = new WebSocket(socketAddress(this.use.path), SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => socket.send(this.use.first(secret));
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
      this.feed({ type: 'heard' });
      if (this.use.message(data)) this.feed({ type: 'hello' });
    };
    socket.onclose = ({ code, reason }) => {
      this.#socket = null;
      this.feed({ type: 'closed', code, reason, random: Math.random() });
    };
  }

  /** Gives up on what can't be read; the machine tries again. */
  fault(reason: string): void {
    this.#drop();
    this.feed({ type: 'closed', code: 1002, reason, random: Math.random() });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
