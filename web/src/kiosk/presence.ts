// Whether somebody is there: any key, touch or movement of the pointer. The terminal's keeper is told, which has the
// clock: it goes on when this page hangs and when the server is replaced.

/** The keeper is told at most this often, in ms, unless it matters at once. */
const EVERY = 1000;
/** A pointer that trembles by less than this, in pixels, was moved by nobody. */
const TREMBLE = 3;

export class Presence {
  #told = 0;
  #owed = false;
  #x: number | null = null;
  #y = 0;

  /** `tell` says to the keeper that somebody is there; `false` when it can't be told now. */
  constructor(private readonly tell: () => boolean) {
    for (const name of ['keydown', 'pointerdown', 'touchstart', 'wheel'])
      addEventListener(name, () => this.#seen(), { capture: true, passive: true });
    addEventListener('pointermove', (event) => this.#moved(event), { capture: true, passive: true });
  }

  /** Somebody has answered, which the keeper is to know at once. */
  answer(): void {
    this.#told = performance.now();
    this.#owed = !this.tell();
  }

  /** The keeper can be told again. */
  reachable(): void {
    if (this.#owed) this.answer();
  }

  /** Whoever was there has gone, and so is what they had to tell. */
  gone(): void {
    this.#owed = false;
  }

  #seen(): void {
    if (performance.now() - this.#told >= EVERY) this.answer();
  }

  /** Browsers report movements of a pointer that rests, when what is under it changes. */
  #moved({ screenX, screenY }: PointerEvent): void {
    const far =
      this.#x !== null && Math.max(Math.abs(screenX - this.#x), Math.abs(screenY - this.#y)) >= TREMBLE;
    if (this.#x !== null && !far) return;
    this.#x = screenX;
    this.#y = screenY;
    if (far) this.#seen();
  }
}
