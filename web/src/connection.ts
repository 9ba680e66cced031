// One attachment's link to the server as a pure state machine: what is shown, when to try again, when a
// silent link counts as lost. attachment.ts feeds it events and performs its effects.

/** Sent when nothing was heard for this long, in ms. With {@link PONG_LIMIT} and one tick it makes at most 10 s. */
export const PING_AFTER = 5000;
/** A ping unanswered for this long, in ms, means the link is lost. */
export const PONG_LIMIT = 4000;
/** How often `tick` is fed, in ms. */
export const TICK = 1000;
/** A gap between two ticks over this, in ms: the laptop slept or the browser throttled us. Nothing measured across it counts. */
export const JUMP = 8000;
/** A connection that isn't open after this long, in ms, has failed. */
export const OPEN_LIMIT = 8000;
/** Shortest and longest pause before trying again, in ms; the very first try after a loss comes within half a second. */
export const BACKOFF_MIN = 1000;
/** See {@link BACKOFF_MIN}. */
export const BACKOFF_MAX = 30000;

/** Where a link stands. */
export type Phase =
  /** Not wanted (yet). */
  | 'idle'
  /** Asking for a token, opening, waiting for `Hello`. */
  | 'connecting'
  /** `Hello` came; what is typed arrives. */
  | 'live'
  /** Waiting to try again. */
  | 'lost'
  /** The terminal exists no more. */
  | 'gone'
  /** The login is over; a new one needs a person. */
  | 'logged-out';

/** The machine's state. Times are in ms of the wall clock, which, unlike the
 * browser's monotonic one, goes on while the laptop sleeps. */
export interface Link {
  readonly phase: Phase;
  /** Tries since the link was last live. */
  readonly tries: number;
  /** While `connecting`: since when. While `lost`: when to try again. */
  readonly at: number;
  /** When something was last heard. */
  readonly heard: number;
  /** When the ping was sent that nothing has been heard since, if any. */
  readonly pinged: number | null;
  /** When the last tick was. */
  readonly ticked: number;
  /** Whether it has ever been live: the words differ for a first try. */
  readonly wasLive: boolean;
  /** Why it was lost, when the server said so. */
  readonly reason: string | null;
}

/** What happens to a link. */
export type Event =
  | { type: 'start' }
  | { type: 'hello' }
  | { type: 'heard' }
  /** The socket closed or a request failed; `random` is in [0, 1) and spreads the tries. */
  | { type: 'closed'; code: number; reason?: string; random: number }
  | { type: 'logged-out' }
  | { type: 'logged-in' }
  | { type: 'tick'; random: number }
  /** The page became visible, the network came back, another link of this page came alive. */
  | { type: 'wake' }
  | { type: 'stop' };

/** What to do. */
export type Effect = { do: 'open' } | { do: 'close' } | { do: 'ping' } | { do: 'check-login' };

/** The server's own close codes (docs/http-api.md). */
export const CLOSE = { token: 4401, denied: 4403, gone: 4404, crowded: 4429 } as const;

export const IDLE: Link = {
  phase: 'idle',
  tries: 0,
  at: 0,
  heard: 0,
  pinged: null,
  ticked: 0,
  wasLive: false,
  reason: null,
};

/** The one step: no clock, no randomness, no I/O of its own. */
export function step(link: Link, now: number, event: Event): [Link, Effect[]] {
  switch (event.type) {
    case 'start':
      return link.phase === 'idle' ? open(link, now) : [link, []];
    case 'hello':
      if (link.phase !== 'connecting') return [link, []];
      return [
        { ...link, phase: 'live', tries: 0, heard: now, pinged: null, wasLive: true, reason: null },
        [],
      ];
    case 'heard':
      return link.phase === 'live' ? [{ ...link, heard: now, pinged: null }, []] : [link, []];
    case 'closed':
      return closed(link, now, event.code, event.reason ?? null, event.random);
    case 'logged-out':
      return ended(link) ? [link, []] : [{ ...link, phase: 'logged-out' }, [{ do: 'close' }]];
    case 'logged-in':
      return link.phase === 'logged-out' ? open({ ...link, tries: 0 }, now) : [link, []];
    case 'tick':
      return tick(link, now, event.random);
    case 'wake':
      if (link.phase === 'lost') return open({ ...link, tries: 0 }, now);
      // A link that slept may be dead without knowing: ask at once instead of in five seconds.
      if (link.phase === 'live' && link.pinged === null)
        return [{ ...link, pinged: now, ticked: now }, [{ do: 'ping' }]];
      return [link, []];
    case 'stop':
      return [{ ...IDLE, wasLive: link.wasLive }, [{ do: 'close' }]];
  }
}

function ended(link: Link): boolean {
  return link.phase === 'gone' || link.phase === 'idle';
}

function open(link: Link, now: number): [Link, Effect[]] {
  return [
    { ...link, phase: 'connecting', at: now, tries: link.tries + 1, pinged: null, ticked: now },
    [{ do: 'open' }],
  ];
}

function closed(
  link: Link,
  now: number,
  code: number,
  reason: string | null,
  random: number,
): [Link, Effect[]] {
  if (link.phase !== 'connecting' && link.phase !== 'live') return [link, []];
  if (code === CLOSE.gone || code === CLOSE.denied) return [{ ...link, phase: 'gone' }, []];
  const effects: Effect[] = code === CLOSE.token ? [{ do: 'check-login' }] : [];
  const why = code === CLOSE.crowded ? 'too many are watching this terminal' : reason || null;
  return [
    { ...link, phase: 'lost', at: now + pause(link, code, random), pinged: null, reason: why },
    effects,
  ];
}

/** How long to wait before trying again, in ms. */
function pause(link: Link, code: number, random: number): number {
  // Most losses are a restart that is over in a moment, so the first try is quick; then doubling, jittered.
  if (link.phase === 'live' && code !== CLOSE.crowded) return random * 500;
  const ceiling = Math.min(BACKOFF_MAX, BACKOFF_MIN * 2 ** Math.min(link.tries, 6));
  return BACKOFF_MIN + random * (ceiling - BACKOFF_MIN);
}

function tick(link: Link, now: number, random: number): [Link, Effect[]] {
  // Backwards too: a board without a clock of its own is set when the network comes.
  const gap = now - link.ticked;
  const jumped = gap > JUMP || gap < 0;
  const next: Link = { ...link, ticked: now };
  switch (link.phase) {
    case 'connecting':
      if (jumped) return [{ ...next, at: now }, []];
      if (now - link.at < OPEN_LIMIT) return [next, []];
      return lose(next, now, random);
    case 'live':
      if (jumped) return [{ ...next, pinged: now }, [{ do: 'ping' }]];
      if (link.pinged !== null) {
        return now - link.pinged < PONG_LIMIT ? [next, []] : lose(next, now, random);
      }
      return now - link.heard < PING_AFTER ? [next, []] : [{ ...next, pinged: now }, [{ do: 'ping' }]];
    case 'lost':
      return jumped || now >= link.at ? open(next, now) : [next, []];
    default:
      return [next, []];
  }
}

function lose(link: Link, now: number, random: number): [Link, Effect[]] {
  const [lost, effects] = closed(link, now, 1006, 'the server does not answer', random);
  return [lost, [{ do: 'close' }, ...effects]];
}

/** What the person is told: one word for a pill, one for the reason. */
export function words(link: Link, now: number): { state: string; detail: string } {
  switch (link.phase) {
    case 'idle':
      return { state: 'not connected', detail: '' };
    case 'connecting':
      return link.wasLive
        ? { state: 'reconnecting', detail: 'keys are not sent until the terminal is back' }
        : { state: 'connecting', detail: '' };
    case 'live':
      return { state: 'live', detail: '' };
    case 'lost': {
      const seconds = Math.max(0, Math.ceil((link.at - now) / 1000));
      const why = link.reason ? `${link.reason}; ` : '';
      return { state: 'offline', detail: `${why}trying again ${seconds > 0 ? `in ${seconds} s` : 'now'}` };
    }
    case 'gone':
      return { state: 'closed', detail: 'this terminal has been closed' };
    case 'logged-out':
      return { state: 'logged out', detail: 'log in again to continue' };
  }
}
