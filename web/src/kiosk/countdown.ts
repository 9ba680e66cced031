// The last seconds before the terminal is reset, for whoever may still be there.
import { h } from '../dom.ts';
import { Curtain } from './curtain.ts';

/** Length of the ring, in its own units. */
const RING = 2 * Math.PI * 54;

export class Countdown {
  readonly element: HTMLElement;
  readonly #curtain: Curtain;
  readonly #number = h('strong', { className: 'number' });
  readonly #ring = ring();
  readonly #said = h('p', { className: 'said' });
  #timer: ReturnType<typeof setInterval> | null = null;
  #ends = 0;
  #lasts = 1;

  /** `answered` is called when somebody is there. */
  constructor(answered: () => void) {
    this.element = h(
      'div',
      {
        className: 'countdown',
        attrs: { role: 'alertdialog', 'aria-label': 'This screen is about to be reset' },
      },
      h(
        'div',
        { className: 'card' },
        h('div', { className: 'dial' }, this.#ring as unknown as Node, this.#number),
        h(
          'div',
          {},
          this.#said,
          h('p', { className: 'hint', textContent: 'Touch or press a key to go on.' }),
        ),
      ),
    );
    this.#curtain = new Curtain(this.element, () => {
      answered();
      // At once: waiting for the keeper's word would look as if nobody had noticed.
      this.stop();
    });
  }

  get up(): boolean {
    return this.#curtain.up;
  }

  /** So many milliseconds are left. */
  start(left: number): void {
    this.#ends = performance.now() + left;
    this.#lasts = Math.max(left, 1);
    this.#show();
    this.#curtain.raise();
    this.#timer ??= setInterval(() => this.#show(), 250);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#curtain.drop();
  }

  #show(): void {
    const left = Math.max(0, this.#ends - performance.now());
    const seconds = Math.ceil(left / 1000);
    if (this.#number.textContent === String(seconds)) return;
    this.#number.textContent = String(seconds);
    this.#said.textContent =
      seconds > 0 ? `This screen is reset in ${seconds} s.` : 'This screen is being reset.';
    // A step a second: nothing here is worth painting sixty times.
    const gone = RING * (1 - (seconds * 1000) / Math.max(this.#lasts, 1000));
    this.#ring.querySelector('.left')?.setAttribute('stroke-dashoffset', String(Math.max(0, gone)));
  }
}

function ring(): SVGSVGElement {
  const part = (name: string) => document.createElementNS('http://www.w3.org/2000/svg', name);
  const svg = part('svg') as SVGSVGElement;
  svg.setAttribute('viewBox', '0 0 120 120');
  svg.setAttribute('aria-hidden', 'true');
  for (const kind of ['all', 'left']) {
    const circle = part('circle');
    for (const [name, value] of Object.entries({ cx: '60', cy: '60', r: '54', class: kind }))
      circle.setAttribute(name, value);
    circle.setAttribute('stroke-dasharray', String(RING));
    svg.append(circle);
  }
  return svg;
}
