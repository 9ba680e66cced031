// What keys of the on-screen keyboard send, and how its modifiers stick. Pure.
import { modify } from '../keybar.ts';
import type { CharKey, Modifier, Name } from './layouts.ts';

/** A modifier is up, down for the next key, or down until it is touched again. */
export type Stuck = 'off' | 'once' | 'locked';
export type Held = Record<Modifier, Stuck>;

export const NONE: Held = { Shift: 'off', Ctrl: 'off', Alt: 'off', AltGr: 'off' };

/** After a touch of a modifier: the next key, until touched again, not at all. */
export function touched(held: Held, modifier: Modifier): Held {
  const next: Record<Stuck, Stuck> = { off: 'once', once: 'locked', locked: 'off' };
  return { ...held, [modifier]: next[held[modifier]] };
}

/** After a key: what was for one key only is up again. */
export function used(held: Held): Held {
  const up = (stuck: Stuck): Stuck => (stuck === 'once' ? 'off' : stuck);
  return { Shift: up(held.Shift), Ctrl: up(held.Ctrl), Alt: up(held.Alt), AltGr: up(held.AltGr) };
}

/** The character a key types with these modifiers; empty: none. */
export function signOf(key: CharKey, held: Held): string {
  if (held.AltGr !== 'off') return key.third;
  return held.Shift === 'off' ? key.plain : key.shift;
}

/** The accents as they are printed, and as Unicode puts them on a letter. */
const COMBINING: Record<string, string> = {
  '´': '\u0301',
  '`': '\u0300',
  '^': '\u0302',
  '¨': '\u0308',
};

/** A letter after an accent: one character where there is one, else both; a blank gives the accent itself. */
export function composed(accent: string, letter: string): string {
  const mark = COMBINING[accent];
  if (letter === ' ' || letter === accent) return accent;
  const both = mark ? (letter + mark).normalize('NFC') : '';
  return [...both].length === 1 ? both : accent + letter;
}

/** Keys whose code ends in a tilde, and their number. */
const TILDE: Partial<Record<Name, number>> = {
  Insert: 2,
  Delete: 3,
  PageUp: 5,
  PageDown: 6,
  F5: 15,
  F6: 17,
  F7: 18,
  F8: 19,
  F9: 20,
  F10: 21,
  F11: 23,
  F12: 24,
};
/** Keys whose code ends in a letter. */
const LETTER: Partial<Record<Name, string>> = {
  Up: 'A',
  Down: 'B',
  Right: 'C',
  Left: 'D',
  End: 'F',
  Home: 'H',
  F1: 'P',
  F2: 'Q',
  F3: 'R',
  F4: 'S',
};

const utf8 = new TextEncoder();

/** What a character sends. */
export function bytesOfText(text: string, held: Held): Uint8Array {
  return modify(utf8.encode(text), held.Ctrl !== 'off', held.Alt !== 'off');
}

/** What a key with a name sends, as xterm does. `application`: the program asked for application cursor keys. */
export function bytesOfName(name: Name, held: Held, application: boolean): Uint8Array {
  const [shift, ctrl, alt] = [held.Shift, held.Ctrl, held.Alt].map((stuck) => stuck !== 'off');
  const number = 1 + (shift ? 1 : 0) + (alt ? 2 : 0) + (ctrl ? 4 : 0);
  const letter = LETTER[name];
  const tilde = TILDE[name];
  if (letter !== undefined) {
    if (number > 1) return utf8.encode(`\x1b[1;${number}${letter}`);
    return utf8.encode(`\x1b${application || /^F\d/.test(name) ? 'O' : '['}${letter}`);
  }
  if (tilde !== undefined) return utf8.encode(`\x1b[${tilde}${number > 1 ? `;${number}` : ''}~`);
  const meta = alt ? '\x1b' : '';
  switch (name) {
    case 'Tab':
      return utf8.encode(shift ? '\x1b[Z' : `${meta}\t`);
    case 'Enter':
      return utf8.encode(`${meta}\r`);
    case 'Backspace':
      return utf8.encode(meta + (ctrl ? '\b' : '\x7f'));
    default:
      return utf8.encode(`${meta}\x1b`);
  }
}
