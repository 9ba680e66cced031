// The page's own shortcuts: few, and none that a program in a terminal commonly wants.

/** What a shortcut does. */
export type Command =
  | 'new'
  | 'close'
  | 'overview'
  | 'next'
  | 'previous'
  | 'search'
  | 'help'
  | 'rename'
  | 'copy'
  | 'paste'
  | `tab-${number}`;

/** The parts of a KeyboardEvent that count. */
export interface Stroke {
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  metaKey: boolean;
  /** AltGr reports itself as Ctrl-Alt on some systems and makes letters. */
  altGraph: boolean;
}

/** What is held down for the page's own shortcuts, which a desktop may want for itself; or there are none. */
export const HELD = ['ctrl-alt', 'ctrl-alt-shift', 'none'] as const;
export type Held = (typeof HELD)[number];

/** As people say it. */
export const HELD_LABELS: Record<Held, string> = {
  'ctrl-alt': 'Ctrl-Alt',
  'ctrl-alt-shift': 'Ctrl-Alt-Shift',
  none: 'None',
};

/** A shortcut of the page as people say it; `undefined` where there are none. */
export function chord(key: string, held: Held): string | undefined {
  return held === 'none' ? undefined : `${HELD_LABELS[held]}-${key}`;
}

/** For the help page, in this order. */
export function shortcuts(held: Held): [string, string][] {
  const own = OWN.map(([key, what]): [string | undefined, string] => [chord(key, held), what]);
  return [...own.filter((row): row is [string, string] => row[0] !== undefined), ...FIXED];
}

const OWN: [string, string][] = [
  ['N', 'open a terminal'],
  ['W', 'close this terminal'],
  ['← / →', 'the terminal before / after'],
  ['1 … 9', 'the first … ninth terminal'],
  ['G', 'all terminals at a glance'],
  ['R', 'give this terminal a name'],
  ['F', 'search in the scrollback'],
];

const FIXED: [string, string][] = [
  ['Ctrl-C', 'copy when text is selected, else interrupt'],
  ['Ctrl-Shift-C', 'copy'],
  ['Ctrl-Shift-V, Shift-Insert', 'paste'],
  ['Shift-PgUp / PgDn', 'scroll; any key returns to the newest output'],
  ['Ctrl-click', 'open a link'],
  ['Shift-F1', 'this page'],
];

const CHORDS: Record<string, Command> = {
  KeyN: 'new',
  KeyW: 'close',
  KeyG: 'overview',
  KeyR: 'rename',
  KeyF: 'search',
  ArrowRight: 'next',
  ArrowLeft: 'previous',
};

const MODS: Record<Held, string | null> = { 'ctrl-alt': 'CA', 'ctrl-alt-shift': 'CAS', none: null };

/** The command of a keystroke, or `null`: then it belongs to the terminal. */
export function commandOf(
  key: Stroke,
  selected: boolean,
  ctrlVPastes: boolean,
  held: Held = 'ctrl-alt',
): Command | null {
  if (key.metaKey || key.altGraph) return null;
  const mods = `${key.ctrlKey ? 'C' : ''}${key.altKey ? 'A' : ''}${key.shiftKey ? 'S' : ''}`;
  if (mods === MODS[held]) {
    const digit = /^Digit([1-9])$/.exec(key.code)?.[1];
    return digit ? `tab-${Number(digit)}` : (CHORDS[key.code] ?? null);
  }
  switch (`${mods} ${key.code}`) {
    case 'S F1':
      return 'help';
    case 'CS KeyC':
      return 'copy';
    case 'C KeyC':
      return selected ? 'copy' : null;
    case 'C Insert':
      return selected ? 'copy' : null;
    case 'CS KeyV':
    case 'S Insert':
      return 'paste';
    case 'C KeyV':
      return ctrlVPastes ? 'paste' : null;
    default:
      return null;
  }
}
