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

/** For the help page, in this order. */
export const SHORTCUTS: [string, string][] = [
  ['Ctrl-Alt-N', 'open a terminal'],
  ['Ctrl-Alt-W', 'close this terminal'],
  ['Ctrl-Alt-← / →', 'the terminal before / after'],
  ['Ctrl-Alt-1 … 9', 'the first … ninth terminal'],
  ['Ctrl-Alt-G', 'all terminals at a glance'],
  ['Ctrl-Alt-R', 'give this terminal a name'],
  ['Ctrl-Alt-F', 'search in the scrollback'],
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

/** The command of a keystroke, or `null`: then it belongs to the terminal. */
export function commandOf(key: Stroke, selected: boolean, ctrlVPastes: boolean): Command | null {
  if (key.metaKey || key.altGraph) return null;
  const mods = `${key.ctrlKey ? 'C' : ''}${key.altKey ? 'A' : ''}${key.shiftKey ? 'S' : ''}`;
  if (mods === 'CA') {
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
