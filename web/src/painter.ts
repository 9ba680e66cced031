// Puts a viewer's output and repaints into the terminal in order, and says what has been parsed.

import { unfinishedLength } from './repairs.ts';

/** The part of xterm.js this needs; the headless one has it too. */
export interface Canvas {
  write(data: Uint8Array, done?: () => void): void;
  resize(cols: number, rows: number): void;
  readonly cols: number;
  readonly rows: number;
}

/** Output or repaint, as they come from the keeper. */
export type Paint =
  | { type: 'output'; seq: number; bytes: Uint8Array }
  | { type: 'repaint'; seq: number; size: { cols: number; rows: number }; keep: boolean; bytes: Uint8Array };

/** CAN ends whatever sequence the last output left unfinished, without running it. */
const CAN = 0x18;
/** RIS in the stream, and not `reset()` from outside, so that no empty screen is painted in between. */
const RIS = [0x1b, 0x63];

/** Queues paints: xterm.js writes later but resizes at once, so what follows a resize has to wait for it. */
export class Painter {
  #barrier = false;
  #repaints = 0;
  #waiting: [Paint, () => void][] = [];
  /** The beginning of a character whose rest hasn't come yet. */
  #unfinished = new Uint8Array(0);

  constructor(private readonly canvas: Canvas) {}

  /**
   * Whether a repaint is being parsed. Then what the terminal answers by itself, such as the focus report that
   * follows the mode for it, was not caused by the program and must not reach it.
   */
  get repainting(): boolean {
    return this.#repaints > 0;
  }

  /** Takes the next paint; `parsed` is called once it and everything before it has been parsed. */
  add(paint: Paint, parsed: () => void): void {
    if (this.#barrier) {
      // What a repaint from nothing will cover needn't be painted.
      if (paint.type === 'repaint' && !paint.keep) this.#waiting = [];
      this.#waiting.push([paint, parsed]);
    } else {
      this.#paint(paint, parsed);
    }
  }

  #paint(paint: Paint, parsed: () => void): void {
    if (paint.type === 'output') {
      this.#write(this.#unfinished, paint.bytes, parsed);
      return;
    }
    this.#barrier = true;
    this.canvas.write(new Uint8Array(0), () => {
      const { cols, rows } = paint.size;
      if (this.canvas.cols !== cols || this.canvas.rows !== rows) this.canvas.resize(cols, rows);
      const head = paint.keep ? [CAN] : [CAN, ...RIS];
      this.#repaints++;
      this.#write(Uint8Array.from(head), paint.bytes, () => {
        this.#repaints--;
        parsed();
      });
      this.#barrier = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const next of waiting) this.add(...next);
    });
  }

  /** Writes whole characters and keeps what is left. */
  #write(head: Uint8Array, rest: Uint8Array, parsed: () => void): void {
    let bytes = rest;
    if (head.length > 0) {
      bytes = new Uint8Array(head.length + rest.length);
      bytes.set(head);
      bytes.set(rest, head.length);
    }
    const whole = bytes.length - unfinishedLength(bytes);
    this.#unfinished = bytes.slice(whole);
    this.canvas.write(bytes.subarray(0, whole), parsed);
  }
}
