// Something over the whole screen that the next key or touch takes away. That key or touch does nothing else.

/** What a person's hand causes, in the order in which it is stopped: nothing of it reaches the terminal. */
const KEYS = ['keydown', 'keypress', 'keyup'];
const WRITING = ['beforeinput', 'input', 'compositionstart', 'compositionupdate', 'compositionend', 'paste'];
const POINTING = [
  'pointerdown',
  'pointerup',
  'pointercancel',
  'mousedown',
  'mouseup',
  'click',
  'dblclick',
  'auxclick',
  'touchstart',
  'touchmove',
  'touchend',
  'wheel',
];
/** What begins a touch, and what ends it. */
const BEGINS = ['pointerdown', 'touchstart', 'wheel'];
const ENDS = ['pointerup', 'pointercancel', 'touchend'];
/** A finger that is down for longer than this, in ms, is no part of the answer any more. */
const LONGEST = 5000;
/** After a finger or button is up, what still comes of it is stopped for this long, in ms. */
const AFTERMATH = 350;

export class Curtain {
  #up = false;
  /** Keys that went down on the curtain: they belong to it until they are up, even when it has gone. */
  readonly #held = new Set<string>();
  #until = 0;

  /** `answered` is called for the first key or touch; it may take the curtain away at once. */
  constructor(
    private readonly element: HTMLElement,
    private readonly answered: () => void,
  ) {
    element.hidden = true;
    for (const name of KEYS)
      addEventListener(name, (event) => this.#key(event as KeyboardEvent), { capture: true });
    for (const name of POINTING)
      addEventListener(name, (event) => this.#point(event), { capture: true, passive: false });
    for (const name of WRITING)
      addEventListener(name, (event) => (this.#up || this.#held.size > 0) && stop(event), { capture: true });
    // Whatever was held when the window lost its keys is up by now.
    addEventListener('blur', () => this.#held.clear());
  }

  get up(): boolean {
    return this.#up;
  }

  raise(): void {
    this.#up = true;
    this.element.hidden = false;
  }

  drop(): void {
    this.#up = false;
    this.element.hidden = true;
  }

  #key(event: KeyboardEvent): void {
    const mine = this.#up || this.#held.has(event.code);
    if (event.type === 'keyup') this.#held.delete(event.code);
    if (!mine) return;
    stop(event);
    if (event.type !== 'keydown') return;
    this.#held.add(event.code);
    if (this.#up) this.answered();
  }

  #point(event: Event): void {
    const now = performance.now();
    if (!this.#up && now > this.#until) return;
    stop(event);
    if (ENDS.includes(event.type)) this.#until = Math.min(this.#until, now + AFTERMATH);
    if (!this.#up || !BEGINS.includes(event.type)) return;
    this.#until = now + (event.type === 'wheel' ? AFTERMATH : LONGEST);
    this.answered();
  }
}

function stop(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}
