// The keys a touch screen lacks. Ctrl and Alt stick for the next key.
import { h } from './dom.ts';

/** What a sticky modifier makes of what is typed next. Pure. */
export function modify(bytes: Uint8Array, ctrl: boolean, alt: boolean): Uint8Array {
  let out = bytes;
  const first = out[0];
  if (ctrl && out.length === 1 && first !== undefined) {
    // Ctrl takes the lower five bits of a letter; "?" is DEL, space is NUL.
    if (first === 0x3f) out = new Uint8Array([0x7f]);
    else if (first === 0x20) out = new Uint8Array([0]);
    else if (first >= 0x40 && first <= 0x7e) out = new Uint8Array([first & 0x1f]);
  } else if (ctrl && out.length === 3 && first === 0x1b && (out[1] === 0x5b || out[1] === 0x4f)) {
    // An arrow, Home or End: CSI 1;5 X
    out = new Uint8Array([0x1b, 0x5b, 0x31, 0x3b, 0x35, out[2] ?? 0]);
  }
  return alt ? new Uint8Array([0x1b, ...out]) : out;
}

const KEYS: [label: string, name: string, send: string][] = [
  ['Esc', 'Escape', '\x1b'],
  ['Tab', 'Tab', '\t'],
  ['←', 'Left', 'D'],
  ['↑', 'Up', 'A'],
  ['↓', 'Down', 'B'],
  ['→', 'Right', 'C'],
  ['|', 'Pipe', '|'],
  ['/', 'Slash', '/'],
  ['~', 'Tilde', '~'],
  ['-', 'Dash', '-'],
  ['Home', 'Home', 'H'],
  ['End', 'End', 'F'],
  ['PgUp', 'Page up', '\x1b[5~'],
  ['PgDn', 'Page down', '\x1b[6~'],
];

/** Who gets the keys. */
export interface KeyTarget {
  /** Types into the active terminal. */
  type(bytes: Uint8Array): void;
  /** Whether the program asked for application cursor keys. */
  applicationCursor(): boolean;
}

export class KeyBar {
  readonly element = h('div', {
    className: 'keybar',
    hidden: true,
    attrs: { role: 'toolbar', 'aria-label': 'Keys' },
  });
  readonly #sticky = { ctrl: false, alt: false };
  readonly #buttons: Record<'ctrl' | 'alt', HTMLButtonElement>;

  constructor(target: KeyTarget) {
    this.#buttons = { ctrl: this.#modifier('ctrl', 'Ctrl'), alt: this.#modifier('alt', 'Alt') };
    const keys = KEYS.map(([label, name, send]) =>
      this.#button(label, name, () => {
        const cursor = /^[A-DHF]$/.test(send);
        const text = cursor ? `\x1b${target.applicationCursor() ? 'O' : '['}${send}` : send;
        target.type(new TextEncoder().encode(text));
      }),
    );
    this.element.append(...keys.slice(0, 1), this.#buttons.ctrl, this.#buttons.alt, ...keys.slice(1));
  }

  /** Applies what is stuck, once. */
  apply(bytes: Uint8Array): Uint8Array {
    const { ctrl, alt } = this.#sticky;
    if (!ctrl && !alt) return bytes;
    this.#set('ctrl', false);
    this.#set('alt', false);
    return modify(bytes, ctrl, alt);
  }

  #modifier(name: 'ctrl' | 'alt', label: string): HTMLButtonElement {
    const button = this.#button(label, label, () => this.#set(name, !this.#sticky[name]));
    button.setAttribute('aria-pressed', 'false');
    return button;
  }

  #set(name: 'ctrl' | 'alt', on: boolean): void {
    this.#sticky[name] = on;
    this.#buttons[name].setAttribute('aria-pressed', String(on));
  }

  #button(label: string, name: string, press: () => void): HTMLButtonElement {
    const button = h('button', { textContent: label, onclick: press, attrs: { 'aria-label': name } });
    // Keeps the focus in the terminal, and with it the phone's keyboard up.
    button.addEventListener('pointerdown', (event) => event.preventDefault());
    button.addEventListener('mousedown', (event) => event.preventDefault());
    return button;
  }
}
