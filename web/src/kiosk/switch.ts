// Two switches instead of a keyboard: one moves a highlight over the keys and buttons on the screen, the other
// chooses what is highlighted. With a clock that moves it, one switch is enough.
import { h } from '../dom.ts';
import { chordOf, type Stroke } from './chord.ts';
import type { Keyboard } from './keyboard.ts';
import { AT_REST, choose, grouped, highlighted, type Node, next, type Scan } from './scan.ts';

export type Order = 'next' | 'choose';

export interface SwitchSettings {
  /** Chords as the configuration writes them: the first moves on, the second chooses. */
  keys: readonly string[];
  /** The highlight moves by itself so often, in ms; `null`: it doesn't. */
  every: number | null;
}

/** What a switch's key means. With a clock there is nothing left to do but to choose. Pure. */
export function orderOf(event: Stroke, { keys, every }: SwitchSettings): Order | null {
  const at = keys.indexOf(chordOf(event));
  if (at < 0) return null;
  return at === 1 || every !== null ? 'choose' : 'next';
}

export class Switches {
  /** Says aloud where the highlight is. */
  readonly #voice = h('div', { className: 'off-screen', attrs: { role: 'status', 'aria-live': 'polite' } });
  #scan: Scan = AT_REST;
  #clock: ReturnType<typeof setInterval> | null = null;
  #settings: SwitchSettings = { keys: [], every: null };

  constructor(
    root: HTMLElement,
    /** Asked for when a switch is used, so that a kiosk without switches has no keyboard for them. */
    private readonly keyboard: () => Keyboard,
  ) {
    root.append(this.#voice);
    const key = (event: KeyboardEvent) => {
      if (!this.isSwitch(event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const order = orderOf(event, this.#settings);
      if (event.type === 'keydown' && !event.repeat && order) this.order(order);
    };
    addEventListener('keydown', key, { capture: true });
    addEventListener('keyup', key, { capture: true });
    // A finger or a mouse knows its own way.
    addEventListener('pointerdown', () => this.#move(AT_REST), { capture: true });
  }

  configure(settings: SwitchSettings): void {
    this.#settings = settings;
    this.#move(AT_REST);
  }

  isSwitch(event: KeyboardEvent): boolean {
    return this.#settings.keys.includes(chordOf(event));
  }

  /** Nothing is highlighted. */
  rest(): void {
    this.#move(AT_REST);
  }

  /** What a switch wants: by its key, or by an action that came from a button on the machine. */
  order(order: Order): void {
    this.keyboard().stay();
    const nodes = this.#nodes();
    if (order === 'next') {
      this.#move(next(nodes, this.#scan));
      return;
    }
    const [scan, pressed] = choose(nodes, this.#scan);
    if (pressed) {
      if (pressed.classList.contains('key')) this.keyboard().press(pressed);
      else pressed.click();
    }
    this.#move(scan);
  }

  /** Everything there is to press now: in a dialog what is in it; else what asks for an answer, and the keys. */
  #nodes(): Node<HTMLButtonElement>[] {
    const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
    const around = dialog ?? document.body;
    const { element } = this.keyboard();
    const found = [...around.querySelectorAll('button')].filter(
      (button) => !element.contains(button) && !button.disabled && button.checkVisibility(),
    );
    const rows = !dialog || dialog.contains(element) ? this.keyboard().rows() : [];
    const keys = rows.map((row) => grouped(row.filter((button) => !button.disabled)));
    if (dialog && rows.length === 0) return found.map((press) => ({ press }));
    return found.length === 0 ? keys : [grouped(found), ...keys];
  }

  #move(scan: Scan): void {
    if (scan === AT_REST && this.#scan === AT_REST) return;
    this.#scan = scan.path.length === 0 ? AT_REST : scan;
    for (const old of document.querySelectorAll('.scanned, .scanned-back'))
      old.classList.remove('scanned', 'scanned-back');
    if (this.#scan === AT_REST) {
      if (this.#clock !== null) clearInterval(this.#clock);
      this.#clock = null;
      this.#voice.textContent = '';
      return;
    }
    const { items, back } = highlighted(this.#nodes(), this.#scan);
    for (const item of items) item.classList.add(back ? 'scanned-back' : 'scanned');
    this.#voice.textContent = said(items, back);
    const { every } = this.#settings;
    // From the last step on, so that whoever chooses has the whole time for what comes next.
    if (this.#clock !== null) clearInterval(this.#clock);
    this.#clock =
      every === null ? null : setInterval(() => this.#move(next(this.#nodes(), this.#scan)), every);
  }
}

/** The highlight in words. */
function said(items: readonly HTMLButtonElement[], back: boolean): string {
  const name = (button: HTMLButtonElement | undefined) =>
    button?.getAttribute('aria-label') ?? button?.textContent ?? '';
  if (back) return 'Back';
  if (items.length === 1) return name(items[0]);
  return `${name(items[0])} to ${name(items.at(-1))}`;
}
