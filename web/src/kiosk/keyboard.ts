// The on-screen keyboard: below the terminal, which gets smaller for it, so that nothing is ever behind it.
import { h } from '../dom.ts';
import type { KeyTarget } from '../keybar.ts';
import type { Stroke } from './chord.ts';
import { act, fieldInUse, insert } from './field.ts';
import {
  type CharKey,
  type Key,
  type LayoutName,
  labelOf,
  layout,
  type Modifier,
  type Name,
  type Placed,
} from './layouts.ts';
import { bytesOfName, bytesOfText, composed, type Held, NONE, signOf, touched, used } from './strokes.ts';

/** A key that is held down types again after this long, and then so often, in ms. */
const REPEAT_AFTER = 500;
const REPEAT_EVERY = 60;
/** Narrower than this, in CSS pixels, there are letters only, and all signs are on the other layer. */
const NARROW = 600;

/** When it is there: when somebody touches the screen, or always. `switch`: because it is scanned. */
export type When = 'touch' | 'always';

/** Names for people, and what is printed. */
const NAMES: Partial<Record<Name, [print: string, name: string]>> = {
  Escape: ['Esc', 'Escape'],
  Tab: ['Tab', 'Tab'],
  Enter: ['⏎', 'Enter'],
  Backspace: ['⌫', 'Backspace'],
  Delete: ['Del', 'Delete'],
  Left: ['←', 'Left'],
  Up: ['↑', 'Up'],
  Down: ['↓', 'Down'],
  Right: ['→', 'Right'],
  PageUp: ['PgUp', 'Page up'],
  PageDown: ['PgDn', 'Page down'],
};

/** A key on the page. */
interface Cap {
  key: Key;
  button: HTMLButtonElement;
  print: HTMLElement;
  /** What is on it besides: with Shift, with AltGr. */
  corners: [HTMLElement, HTMLElement] | null;
}

export class Keyboard {
  readonly element: HTMLElement;
  /** Takes a chord for itself: then it is typed nowhere. */
  catches: (chord: Stroke) => boolean = () => false;
  readonly #caps = new Map<HTMLButtonElement, Cap>();
  #rows: HTMLButtonElement[][] = [];
  #held: Held = NONE;
  #layer: 'letters' | 'signs' = 'letters';
  #dead = '';
  /** The accent that waits for its letter. */
  #accent = '';
  #narrow = false;
  #hides: boolean;
  readonly #watch = new ResizeObserver(() => this.#fit());
  #pressed: { button: HTMLButtonElement; timer: ReturnType<typeof setTimeout> | null } | null = null;

  constructor(
    private readonly target: KeyTarget,
    private readonly name: LayoutName,
    when: When,
    /** What it stands at the end of, unless a dialog is open with the field that is typed into. */
    private readonly home: HTMLElement,
  ) {
    this.#hides = when === 'touch';
    this.element = h('div', {
      className: 'keyboard',
      hidden: when === 'touch',
      attrs: { role: 'group', 'aria-label': `Keyboard, ${labelOf(name)}` },
    });
    this.#build();
    this.#listen();
    home.append(this.element);
    this.#watch.observe(home);
    this.#watch.observe(this.element);
    this.#fit();
  }

  /** Takes it away for good. */
  dispose(): void {
    this.hide();
    this.#watch.disconnect();
    this.element.remove();
    this.#tell(0);
  }

  get shown(): boolean {
    return !this.element.hidden;
  }

  show(): void {
    this.element.hidden = false;
    this.#settle();
    this.#fit();
  }

  hide(): void {
    // Every real key comes here.
    if (!this.shown) return;
    this.#up();
    this.element.hidden = true;
    this.#fit();
  }

  /** As for somebody who has just come. */
  rest(): void {
    if (this.#hides) this.hide();
    else this.#up();
  }

  /** No key is held, and no accent waits. */
  #up(): void {
    this.#release();
    this.#held = NONE;
    this.#accent = '';
    this.#layer = 'letters';
    this.#build();
  }

  /** It stays, and has no key to put it away. */
  stay(): void {
    this.#hides = false;
    this.#build();
    this.show();
  }

  /** The keys, row by row. */
  rows(): readonly (readonly HTMLButtonElement[])[] {
    return this.#rows;
  }

  /** Presses a key once, as a finger does. */
  press(button: HTMLButtonElement): void {
    const cap = this.#caps.get(button);
    if (cap) this.#stroke(cap.key);
  }

  /** Where it stands: with the field it types into, for a dialog makes everything outside of itself dead. */
  #settle(): void {
    const dialog = fieldInUse()?.closest<HTMLElement>('dialog[open]');
    const place = dialog ?? this.home;
    if (this.element.parentElement !== place) place.append(this.element);
  }

  /** Says how much room it takes, so that the terminal's pane ends above it. */
  #tell(height: number): void {
    document.documentElement.style.setProperty('--keyboard', `${height}px`);
  }

  #fit(): void {
    this.#tell(this.element.offsetHeight);
    const narrow = this.home.clientWidth > 0 && this.home.clientWidth < NARROW;
    if (narrow === this.#narrow) return;
    this.#narrow = narrow;
    this.#build();
  }

  #build(): void {
    this.#release();
    const form = { layer: this.#layer, narrow: this.#narrow, hides: this.#hides };
    const { rows, dead } = layout(this.name, form);
    this.#dead = dead;
    this.#accent = '';
    this.#caps.clear();
    this.#rows = rows.map((row) => row.map((placed) => this.#cap(placed)));
    this.element.replaceChildren(...this.#rows.map((row, at) => line(row, rows[at] ?? [])));
    this.#relabel();
  }

  #cap({ key, width }: Placed): HTMLButtonElement {
    const print = h('span', { className: 'print' });
    const corners: Cap['corners'] =
      key.kind === 'char' ? [h('span', { className: 'shifted' }), h('span', { className: 'third' })] : null;
    const button = h(
      'button',
      { className: `key ${key.kind === 'char' || key.kind === 'space' ? 'types' : 'acts'}`, tabIndex: -1 },
      ...(corners ?? []),
      print,
    );
    button.style.setProperty('--units', String(width));
    this.#caps.set(button, { key, button, print, corners });
    return button;
  }

  /** Prints on each key what it does now. */
  #relabel(): void {
    for (const cap of this.#caps.values()) {
      const [print, name] = this.#words(cap.key);
      cap.print.textContent = print;
      cap.print.classList.toggle('symbol', /^[^\w#]$/.test(print) && cap.key.kind !== 'char');
      cap.button.setAttribute('aria-label', name);
      cap.button.disabled = print === '' && cap.key.kind === 'char';
      if (cap.key.kind === 'modifier') {
        const stuck = this.#held[cap.key.modifier];
        cap.button.setAttribute('aria-pressed', String(stuck !== 'off'));
        cap.button.classList.toggle('locked', stuck === 'locked');
      }
      if (cap.key.kind === 'char' && cap.corners) corner(cap.key, cap.corners, this.#held);
      cap.button.classList.toggle('waits', cap.key.kind === 'char' && print === this.#accent);
    }
  }

  #words(key: Key): [print: string, name: string] {
    switch (key.kind) {
      case 'char': {
        const sign = signOf(key, this.#held);
        return [sign, this.#dead.includes(sign) && sign ? `${sign}, then a letter` : sign];
      }
      case 'named':
        return NAMES[key.name] ?? [key.name, key.name];
      case 'space':
        return ['', 'Space'];
      case 'hide':
        return ['▾', 'Put the keyboard away'];
      case 'layer':
        return this.#layer === 'letters' ? ['#+F1', 'Signs and F keys'] : ['abc', 'Letters'];
      case 'modifier': {
        const stuck = this.#held[key.modifier];
        return [key.modifier === 'Shift' ? '⇧' : key.modifier, key.modifier + SAID[stuck]];
      }
    }
  }

  #listen(): void {
    const { element } = this;
    // The focus stays where what is typed goes.
    for (const name of ['mousedown', 'contextmenu'])
      element.addEventListener(name, (event) => event.preventDefault());
    element.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      const button = this.#buttonOf(event.target);
      if (!button || event.button !== 0) return;
      // A finger that slides off its key presses no other.
      button.setPointerCapture(event.pointerId);
      this.#hold(button);
    });
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture'])
      element.addEventListener(name, () => this.#release());
    element.addEventListener('click', (event) => {
      // What helps people to use the page clicks without a pointer.
      const button = this.#buttonOf(event.target);
      if (button && event.detail === 0) this.press(button);
    });
  }

  #buttonOf(target: EventTarget | null): HTMLButtonElement | null {
    const button = target instanceof Element ? target.closest('button') : null;
    return button && this.#caps.has(button) ? button : null;
  }

  #hold(button: HTMLButtonElement): void {
    this.#release();
    const cap = this.#caps.get(button);
    if (!cap) return;
    button.classList.add('down');
    this.#pressed = { button, timer: null };
    this.#stroke(cap.key);
    const repeats = cap.key.kind === 'char' || cap.key.kind === 'space' || repeated(cap.key);
    // A stroke may have put the keyboard away or changed its keys.
    if (!repeats || this.#pressed === null) return;
    const again = () => {
      this.#stroke(cap.key);
      if (this.#pressed) this.#pressed.timer = setTimeout(again, REPEAT_EVERY);
    };
    this.#pressed.timer = setTimeout(again, REPEAT_AFTER);
  }

  #release(): void {
    const pressed = this.#pressed;
    this.#pressed = null;
    if (!pressed) return;
    pressed.button.classList.remove('down');
    if (pressed.timer !== null) clearTimeout(pressed.timer);
  }

  #stroke(key: Key): void {
    switch (key.kind) {
      case 'modifier':
        this.#stick(key.modifier);
        return;
      case 'layer':
        this.#layer = this.#layer === 'letters' ? 'signs' : 'letters';
        this.#build();
        return;
      case 'hide':
        this.hide();
        return;
      default:
        if (!this.catches(this.#chord(key))) this.#send(key);
    }
    const held = used(this.#held);
    const same = Object.keys(held).every((name) => held[name as Modifier] === this.#held[name as Modifier]);
    this.#held = held;
    if (!same) this.#relabel();
  }

  #send(key: Key): void {
    if (key.kind === 'space') this.#text(' ');
    else if (key.kind === 'char') this.#text(signOf(key, this.#held));
    else if (key.kind === 'named') this.#named(key.name);
  }

  /** A key with what is held, as a real keyboard would report it. */
  #chord(key: Key): Stroke {
    const { Ctrl, Alt, Shift } = this.#held;
    return {
      key: key.kind === 'char' ? key.plain : key.kind === 'named' ? key.name : ' ',
      ctrlKey: Ctrl !== 'off',
      altKey: Alt !== 'off',
      shiftKey: Shift !== 'off',
      metaKey: false,
    };
  }

  #stick(modifier: Modifier): void {
    this.#held = touched(this.#held, modifier);
    this.#relabel();
  }

  #text(sign: string): void {
    if (sign === '') return;
    const commands = this.#held.Ctrl !== 'off' || this.#held.Alt !== 'off';
    const accent = this.#accent;
    if (!accent && !commands && this.#dead.includes(sign)) {
      this.#accent = sign;
      this.#relabel();
      return;
    }
    this.#accent = '';
    if (accent) this.#relabel();
    const text = accent ? composed(accent, sign) : sign;
    const field = fieldInUse();
    if (field) insert(field, text);
    else this.target.type(bytesOfText(text, this.#held));
  }

  #named(name: Name): void {
    this.#accent = '';
    const field = fieldInUse();
    if (field) act(field, name, this.#held.Shift !== 'off');
    else this.target.type(bytesOfName(name, this.#held, this.target.applicationCursor()));
  }
}

/** A row, as wide as the others however many keys are in it. */
function line(buttons: HTMLButtonElement[], placed: Placed[]): HTMLElement {
  const row = h('div', { className: 'row' }, ...buttons);
  row.style.setProperty('--of', String(placed.reduce((sum, { width }) => sum + width, 0)));
  return row;
}

/** How a modifier stands, for who can't see it. */
const SAID = { off: '', once: ', for the next key', locked: ', locked' } as const;

function repeated(key: Key): boolean {
  return key.kind === 'named' && !['Escape', 'Enter', 'Tab', 'Insert'].includes(key.name);
}

/** The small print: only what Shift doesn't make of a letter anyway, and only while nothing is held. */
function corner(key: CharKey, [shifted, third]: [HTMLElement, HTMLElement], held: Held): void {
  const plain = held.Shift === 'off' && held.AltGr === 'off';
  const capital = key.shift.toLowerCase() === key.plain;
  shifted.textContent = plain && !capital && key.shift !== key.plain ? key.shift : '';
  third.textContent = plain ? key.third : '';
}

/** Shows the keyboard when the screen is touched, and puts it away when real keys are used, until `stop`. */
export function follow(
  keyboard: Keyboard,
  stop: AbortSignal,
  isSwitch: (event: KeyboardEvent) => boolean = () => false,
): void {
  const show = (event: Event) => {
    const finger = !(event instanceof PointerEvent) || event.pointerType === 'touch';
    const outside = event.target instanceof Node && !keyboard.element.contains(event.target);
    if (finger && outside) keyboard.show();
  };
  addEventListener('pointerdown', show, { capture: true, signal: stop });
  // Where touches make no pointer events.
  addEventListener('touchstart', show, { capture: true, passive: true, signal: stop });
  addEventListener(
    'keydown',
    (event) => {
      if (event.isTrusted && !isSwitch(event)) keyboard.hide();
    },
    { capture: true, signal: stop },
  );
}
