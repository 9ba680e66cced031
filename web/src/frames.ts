// The bytes between a viewer and a keeper: the twin of src/wire/frame/ and src/wire/message.rs.
//
// One type byte, then the payload, numbers big-endian; one frame is one binary WebSocket message.
// tests/golden/frames.json holds both twins still.

/** Version of the protocol: first byte of `Attach` and `Hello`. */
export const PROTOCOL = 1;
/** Most bytes of input in one frame; a longer paste goes in several. */
export const MAX_INPUT = 64 << 10;
/** Unacknowledged bytes the page asks for: 64 ms of old output in front of the answer to ^C at 1 MB/s. */
export const WINDOW = 64 << 10;
/** Bounds of a terminal's size, as `base::Size` clamps it. */
export const MAX_COLS = 500;
/** See {@link MAX_COLS}. */
export const MAX_ROWS = 250;

const HELLO = 0x01;
const OUTPUT = 0x02;
const REPAINT = 0x03;
const META = 0x04;
const NOTICE = 0x05;
const PONG = 0x06;
const REPLY = 0x07;

const ATTACH = 0x41;
const INPUT = 0x42;
const RESIZE = 0x43;
const ACK = 0x44;
const TAKE_SIZE = 0x45;
const RESTART = 0x46;
const REQUEST = 0x47;
const PING = 0x48;

/** A terminal's size in cells. */
export interface Size {
  cols: number;
  rows: number;
}

export type Mode = 'view' | 'type' | 'manage';

/** A viewer's first frame. */
export interface Attach {
  mode: Mode;
  /** The viewer's own screen; without it the viewer takes whatever size the terminal has. */
  size?: Size;
  /** Lines of scrollback wanted in full repaints. */
  history: number;
  /** Unacknowledged bytes wanted. */
  window: number;
  label?: string;
  kiosk?: boolean;
  /** This viewer counts down to a reset itself, and needs no notice of it. */
  counts_down?: boolean;
}

/** How a program ended. */
export type Exit = { status: number } | { signal: number };

/** One watcher of a terminal, as the others see it. */
export interface ViewerInfo {
  viewer: number;
  label: string;
  mode: Mode;
  kiosk: boolean;
}

/** What is known of a terminal besides its screen. In a `Meta` frame only what changed; `null` = no longer. */
export interface Meta {
  name?: string | null;
  title?: string | null;
  size?: Size;
  size_owner?: number | null;
  viewers?: ViewerInfo[];
  exit?: Exit | null;
  stopped?: boolean;
  bells?: number;
  command?: string[];
  /** What it is for, in the words of whoever opened it. */
  labels?: Record<string, string>;
  pid?: number;
  opened?: number;
  last_output?: number;
  scrollback?: number;
  /** Whether anybody has been there since the program was started. */
  used?: boolean;
  /** Whether the program is started again by itself. */
  restarts?: boolean;
  /** Milliseconds until the terminal is reset, because nobody is there. */
  reset_in_ms?: number | null;
  behind?: boolean;
}

/** The keeper's first frame. */
export interface Hello {
  terminal: string;
  viewer: number;
  mode: Mode;
  window: number;
  keeper: string;
  meta: Meta;
}

/** How much a notice matters. */
export type Level = 'info' | 'warning' | 'error';

/** A sentence for the person watching; with `message`, one that another person says. */
export interface Notice {
  level: Level;
  text: string;
  message?: { id: number; from: string; require_ack: boolean };
}

/** A question to the keeper (those the page asks). */
export type Request =
  | { op: 'search'; text: string; regex: boolean; before?: number; limit: number }
  | { op: 'repaint'; history: number }
  | { op: 'rename'; name: string | null }
  | { op: 'acknowledge'; message: number }
  | { op: 'present' }
  | { op: 'reset' };

/** What a keeper sends. */
export type ToViewer =
  | { type: 'hello'; hello: Hello }
  | { type: 'output'; seq: number; bytes: Uint8Array }
  | { type: 'repaint'; seq: number; size: Size; keep: boolean; bytes: Uint8Array }
  | { type: 'meta'; meta: Meta }
  | { type: 'notice'; notice: Notice }
  | { type: 'pong'; value: number }
  | { type: 'reply'; request: number; last: boolean; body: Uint8Array };

/** What the page sends. */
export type FromViewer =
  | { type: 'attach'; attach: Attach }
  | { type: 'input'; bytes: Uint8Array }
  | { type: 'resize'; size: Size }
  | { type: 'ack'; seq: number }
  | { type: 'take-size' }
  | { type: 'restart' }
  | { type: 'request'; id: number; request: Request }
  | { type: 'ping'; value: number };

/** The bytes are not a frame this version understands. */
export class FrameError extends Error {
  override name = 'FrameError';
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** Reads one frame. Unknown types give `null`: within a version things are only ever added. */
export function decode(frame: Uint8Array): ToViewer | null {
  const kind = frame[0];
  if (kind === undefined) throw new FrameError('empty frame');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const need = (length: number) => {
    if (frame.length < length)
      throw new FrameError(`frame type ${kind} has a payload of ${frame.length - 1} bytes`);
  };
  switch (kind) {
    case HELLO:
      need(2);
      if (frame[1] !== PROTOCOL) throw new FrameError(`protocol version ${frame[1]} is not spoken here`);
      return { type: 'hello', hello: json<Hello>(frame, 2) };
    case OUTPUT:
      need(9);
      return { type: 'output', seq: u64(view, 1), bytes: frame.subarray(9) };
    case REPAINT:
      need(14);
      return {
        type: 'repaint',
        seq: u64(view, 1),
        size: clampSize({ cols: view.getUint16(9), rows: view.getUint16(11) }),
        keep: (view.getUint8(13) & 1) !== 0,
        bytes: frame.subarray(14),
      };
    case META:
      return { type: 'meta', meta: json<Meta>(frame, 1) };
    case NOTICE:
      return { type: 'notice', notice: json<Notice>(frame, 1) };
    case PONG:
      need(9);
      return { type: 'pong', value: u64(view, 1) };
    case REPLY:
      need(6);
      return {
        type: 'reply',
        request: view.getUint32(1),
        last: (view.getUint8(5) & 1) !== 0,
        body: frame.subarray(6),
      };
    default:
      return null;
  }
}

/** Type byte and payload of a frame. */
export function encode(frame: FromViewer): Uint8Array<ArrayBuffer> {
  switch (frame.type) {
    case 'attach':
      return concat([ATTACH, PROTOCOL], utf8.encode(JSON.stringify(frame.attach)));
    case 'input':
      if (frame.bytes.length > MAX_INPUT) throw new FrameError(`input of ${frame.bytes.length} bytes`);
      return concat([INPUT], frame.bytes);
    case 'resize': {
      const { cols, rows } = frame.size;
      return new Uint8Array([RESIZE, cols >> 8, cols & 255, rows >> 8, rows & 255]);
    }
    case 'ack':
      return number64(ACK, frame.seq);
    case 'take-size':
      return new Uint8Array([TAKE_SIZE]);
    case 'restart':
      return new Uint8Array([RESTART]);
    case 'request': {
      const { id } = frame;
      return concat(
        [REQUEST, id >>> 24, (id >> 16) & 255, (id >> 8) & 255, id & 255],
        utf8.encode(JSON.stringify(frame.request)),
      );
    }
    case 'ping':
      return number64(PING, frame.value);
  }
}

/** Input cut into frames of at most {@link MAX_INPUT} bytes. */
export function* inputs(bytes: Uint8Array): Generator<FromViewer> {
  for (let at = 0; at < bytes.length; at += MAX_INPUT) {
    yield { type: 'input', bytes: bytes.subarray(at, at + MAX_INPUT) };
  }
}

/** The nearest size within limits; what is below 2×2 becomes 80×24. */
export function clampSize(size: Size): Size {
  const { cols, rows } = size;
  if (!(cols >= 2 && rows >= 2)) return { cols: 80, rows: 24 };
  return { cols: Math.min(Math.floor(cols), MAX_COLS), rows: Math.min(Math.floor(rows), MAX_ROWS) };
}

function json<T>(frame: Uint8Array, from: number): T {
  try {
    return JSON.parse(text.decode(frame.subarray(from))) as T;
  } catch (error) {
    throw new FrameError(`frame type ${frame[0]}: ${String(error)}`);
  }
}

function u64(view: DataView, at: number): number {
  // Counts of bytes: 2^53 of them would take a century at 2.8 MB/s, so a number is exact.
  return Number(view.getBigUint64(at));
}

function number64(kind: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setBigUint64(1, BigInt(value));
  return bytes;
}

function concat(head: number[], tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
