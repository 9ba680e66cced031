// What is on the screen while nobody is there. It wanders a little, so that it burns into no panel.
import { h } from '../dom.ts';
import { tidy } from '../text.ts';
import { showTime } from './clock.ts';
import { Curtain } from './curtain.ts';
import type { KioskSettings } from './told.ts';

/** How long it stays in one place, in ms. */
const RESTS = 40_000;
/** How long it takes to fade, in ms; as in kiosk-guest.css. */
const FADES = 900;
/** Where it goes next, as parts of the room there is on each side. Far from one another, none twice. */
const PLACES: [number, number][] = [
  [0, 0],
  [0.7, -0.6],
  [-0.8, 0.5],
  [0.4, 0.9],
  [-0.5, -0.9],
  [0.9, 0.3],
  [-0.9, -0.2],
];

export class Attract {
  readonly element = h('div', { className: 'attract', attrs: { 'aria-label': 'Touch or press a key' } });
  readonly #block = h('div', { className: 'block' });
  readonly #time = h('p', { className: 'time', attrs: { role: 'timer' } });
  readonly #curtain: Curtain;
  #said = '';
  #wanted = false;
  #has = false;
  #place = 0;

  /** `answered` is called when somebody comes. */
  constructor(answered: () => void) {
    this.element.append(this.#block);
    this.#curtain = new Curtain(this.element, () => {
      this.want(false);
      answered();
    });
    showTime(this.#time);
    setInterval(() => this.#wander(), RESTS);
  }

  get up(): boolean {
    return this.#curtain.up;
  }

  /** What there is to show, which may be nothing. */
  dress({ title, lines, picture, clock }: KioskSettings['attract']): void {
    this.#has = title !== '' || lines.length > 0 || picture !== null;
    const said = JSON.stringify([title, lines, picture, clock]);
    if (said !== this.#said) {
      this.#said = said;
      this.#block.replaceChildren();
      if (picture !== null) {
        const image = h('img', { src: `api/kiosk/picture?${encodeURIComponent(picture)}`, alt: '' });
        // A picture that can't be had leaves no broken frame behind.
        image.onerror = () => image.remove();
        this.#block.append(image);
      }
      if (title) this.#block.append(h('h1', { textContent: tidy(title) }));
      for (const line of lines) this.#block.append(h('p', { className: 'text', textContent: tidy(line) }));
      if (clock) this.#block.append(this.#time);
      this.#block.append(h('p', { className: 'hint', textContent: 'Touch or press a key' }));
    }
    this.want(this.#wanted);
  }

  /** Whether nobody is there. */
  want(wanted: boolean): void {
    this.#wanted = wanted;
    if (wanted && this.#has) this.#curtain.raise();
    else this.#curtain.drop();
  }

  #wander(): void {
    if (!this.up) return;
    this.#block.classList.add('away');
    setTimeout(() => {
      this.#place = (this.#place + 1) % PLACES.length;
      const [x, y] = PLACES[this.#place] ?? [0, 0];
      const right = (this.element.clientWidth - this.#block.offsetWidth) / 2;
      const down = (this.element.clientHeight - this.#block.offsetHeight) / 2;
      this.#block.style.translate = `${Math.round(x * Math.max(0, right) * 0.6)}px ${Math.round(y * Math.max(0, down) * 0.6)}px`;
      this.#block.classList.remove('away');
    }, FADES);
  }
}
