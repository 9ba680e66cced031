// The colours: one palette for the terminal, and from it the few the page around it needs.
import type { ITheme } from '@xterm/xterm';

export const THEMES = [
  'auto',
  'dark',
  'light',
  'solarized-dark',
  'solarized-light',
  'high-contrast',
] as const;
/** A theme's name as it is stored. */
export type ThemeName = (typeof THEMES)[number];

/** Names for people. */
export const THEME_LABELS: Record<ThemeName, string> = {
  auto: 'As the system',
  dark: 'Dark',
  light: 'Light',
  'solarized-dark': 'Solarized dark',
  'solarized-light': 'Solarized light',
  'high-contrast': 'High contrast',
};

/** What a theme is made of. `chrome` colours are CSS variables of the page. */
export interface Theme {
  terminal: ITheme;
  scheme: 'dark' | 'light';
  /** xterm.js lifts text to this contrast with its background; 1 leaves programs' colours alone. */
  contrast: number;
  chrome: { bar: string; raised: string; line: string; text: string; dim: string; accent: string };
}

const ANSI = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite',
] as const;

function palette(background: string, foreground: string, selection: string, ansi: string): ITheme {
  const theme: ITheme = {
    background,
    foreground,
    cursor: foreground,
    cursorAccent: background,
    selectionBackground: selection,
  };
  ansi.split(' ').forEach((colour, index) => {
    const key = ANSI[index];
    if (key) theme[key] = colour;
  });
  return theme;
}

const SOLARIZED =
  '#073642 #dc322f #859900 #b58900 #268bd2 #d33682 #2aa198 #eee8d5 #586e75 #cb4b16 #586e75 #657b83 #839496 #6c71c4 #93a1a1 #fdf6e3';

const DARK: Theme = {
  scheme: 'dark',
  contrast: 1,
  terminal: palette(
    '#101214',
    '#d6d9dc',
    '#3a4754',
    '#2e343b #e0645c #86b86b #dfae5b #6ba3dd #b988d6 #5fb8b8 #c8ccd0 #69717a #ee857e #a3d08a #f0c67c #8dbcf0 #cfa5e8 #84d0d0 #f2f4f5',
  ),
  chrome: {
    bar: '#191c20',
    raised: '#23272d',
    line: '#2e343b',
    text: '#dadde0',
    dim: '#929ba5',
    accent: '#e3a857',
  },
};

const LIGHT: Theme = {
  scheme: 'light',
  contrast: 1,
  terminal: palette(
    '#fdfdfb',
    '#2b2e31',
    '#cfdced',
    '#2b2e31 #b3261e #2e7031 #8a5a00 #1e5fae #8438a6 #0f6e75 #c3c7cb #6b7178 #cc3b33 #3c8a40 #a56e06 #2f76cc #9d50c0 #198892 #f4f5f6',
  ),
  chrome: {
    bar: '#eceef0',
    raised: '#fdfdfb',
    line: '#d3d7db',
    text: '#26292c',
    dim: '#5d656d',
    accent: '#8a5a00',
  },
};

const TABLE: Record<Exclude<ThemeName, 'auto'>, Theme> = {
  dark: DARK,
  light: LIGHT,
  'solarized-dark': {
    scheme: 'dark',
    contrast: 1,
    terminal: palette('#002b36', '#93a1a1', '#0d4452', SOLARIZED),
    chrome: {
      bar: '#073642',
      raised: '#0b4150',
      line: '#134b59',
      text: '#c3cccb',
      dim: '#93a1a1',
      accent: '#d9a520',
    },
  },
  'solarized-light': {
    scheme: 'light',
    contrast: 1,
    terminal: palette('#fdf6e3', '#586e75', '#e5dcc0', SOLARIZED),
    chrome: {
      bar: '#eee8d5',
      raised: '#fdf6e3',
      line: '#ddd6c1',
      text: '#46595f',
      dim: '#586e75',
      accent: '#8f6b00',
    },
  },
  'high-contrast': {
    scheme: 'dark',
    contrast: 7,
    terminal: palette(
      '#000000',
      '#ffffff',
      '#0050c8',
      '#000000 #ff6b6b #5ef55e #ffff5c #7ab8ff #ff8cff #5cffff #ffffff #b0b0b0 #ff9c9c #9cff9c #ffff9c #a8d2ff #ffb8ff #a8ffff #ffffff',
    ),
    chrome: {
      bar: '#000000',
      raised: '#000000',
      line: '#ffffff',
      text: '#ffffff',
      dim: '#e0e0e0',
      accent: '#ffd84d',
    },
  },
};

/** The theme behind a name; `auto` follows the system's wish for light, dark or more contrast. */
export function themeOf(name: ThemeName): Theme {
  if (name !== 'auto') return TABLE[name];
  if (matchMedia('(prefers-contrast: more)').matches) return TABLE['high-contrast'];
  return matchMedia('(prefers-color-scheme: light)').matches ? LIGHT : DARK;
}

/** Gives the page around the terminals the theme's colours. */
export function dress(theme: Theme): void {
  const style = document.documentElement.style;
  for (const [name, value] of Object.entries(theme.chrome)) style.setProperty(`--${name}`, value);
  style.setProperty('--ground', theme.terminal.background ?? '#000');
  style.colorScheme = theme.scheme;
}
