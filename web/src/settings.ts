// What a person chose. Kept on the server for them, and in localStorage for the first paint and for when the server
// keeps nothing; not on the kiosk's own screen.
import { HELD, type Held } from './keys.ts';
import { THEMES, type ThemeName } from './themes.ts';

export interface Settings {
  theme: ThemeName;
  /** In CSS pixels, {@link FONT_MIN} to {@link FONT_MAX}. */
  fontSize: number;
  /** Whether a bell flashes the terminal. The tab is marked either way. */
  flash: boolean;
  /** Keeps a readable copy of the screen for screen readers; costs speed. */
  screenReader: boolean;
  /** Off: Ctrl-V reaches the program (vim needs it) and Ctrl-Shift-V pastes. */
  ctrlVPastes: boolean;
  /** What is held down for the page's own shortcuts. */
  held: Held;
  /** Keys for touch screens. */
  keyBar: 'auto' | 'on' | 'off';
}

export const FONT_MIN = 7;
export const FONT_MAX = 40;

export const DEFAULTS: Settings = {
  theme: 'auto',
  fontSize: 14,
  flash: true,
  screenReader: false,
  ctrlVPastes: false,
  held: 'ctrl-alt',
  keyBar: 'auto',
};

const KEY = 'gatepost.settings';

/** Where settings are kept; `localStorage` is one. */
export type Store = Pick<Storage, 'getItem' | 'setItem'>;

/** Reads what this browser keeps. */
export function load(store: Store | null): Settings {
  try {
    return understood(JSON.parse(store?.getItem(KEY) ?? '{}'));
  } catch {
    // Unreadable: as if there were none.
    return DEFAULTS;
  }
}

/** What was kept, as settings; what is missing or makes no sense becomes the default. */
export function understood(kept: unknown): Settings {
  const found: Partial<Record<keyof Settings, unknown>> =
    typeof kept === 'object' && kept !== null ? kept : {};
  const bool = (key: 'flash' | 'screenReader' | 'ctrlVPastes') => {
    const value = found[key];
    return typeof value === 'boolean' ? value : DEFAULTS[key];
  };
  const theme = THEMES.find((name) => name === found.theme) ?? DEFAULTS.theme;
  const keyBar = (['auto', 'on', 'off'] as const).find((value) => value === found.keyBar) ?? DEFAULTS.keyBar;
  const held = HELD.find((value) => value === found.held) ?? DEFAULTS.held;
  return {
    theme,
    fontSize: clampFont(found.fontSize),
    flash: bool('flash'),
    screenReader: bool('screenReader'),
    ctrlVPastes: bool('ctrlVPastes'),
    held,
    keyBar,
  };
}

/** Keeps settings. A full or forbidden store is no reason to fail. */
export function save(store: Store | null, settings: Settings): void {
  try {
    store?.setItem(KEY, JSON.stringify(settings));
  } catch {
    // They hold until the page is left.
  }
}

/** The nearest font size there is. */
export function clampFont(size: unknown): number {
  if (typeof size !== 'number' || !Number.isFinite(size)) return DEFAULTS.fontSize;
  return Math.min(FONT_MAX, Math.max(FONT_MIN, Math.round(size)));
}
