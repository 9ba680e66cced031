// What can be chosen from, and which field a mistake is about.
import type { Form } from './api.ts';

/** Layouts of XKB, with what they are called. */
export const LAYOUTS: Record<string, string> = {
  us: 'English (US)',
  gb: 'English (UK)',
  de: 'German',
  at: 'German (Austria)',
  ch: 'Swiss',
  fr: 'French',
  be: 'Belgian',
  nl: 'Dutch',
  es: 'Spanish',
  latam: 'Spanish (Latin America)',
  pt: 'Portuguese',
  br: 'Portuguese (Brazil)',
  it: 'Italian',
  dk: 'Danish',
  no: 'Norwegian',
  se: 'Swedish',
  fi: 'Finnish',
  pl: 'Polish',
  cz: 'Czech',
  sk: 'Slovak',
  hu: 'Hungarian',
  ro: 'Romanian',
  bg: 'Bulgarian',
  gr: 'Greek',
  tr: 'Turkish',
  ru: 'Russian',
  ua: 'Ukrainian',
  il: 'Hebrew',
  jp: 'Japanese',
};

/** Where radios are: those countries for which the kernel's rules are best known, by their two letters. */
const COUNTRIES =
  'AR AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE ES FI FR GB GR HK HR HU ID IE IL IN IS IT JP KR LT LU LV MA MT MX MY NL NO NZ PE PH PL PT RO RS RU SA SE SG SI SK TH TN TR TW UA US VN ZA';

/** Their names in the reader's language, in its order. */
export function countries(): [string, string][] {
  const names = new Intl.DisplayNames(undefined, { type: 'region' });
  const all = COUNTRIES.split(' ').map((code): [string, string] => [code, names.of(code) ?? code]);
  return all.sort(([, one], [, other]) => one.localeCompare(other));
}

/** All time zones the browser knows; none if it is too old to say. */
export function zones(): string[] {
  return Intl.supportedValuesOf?.('timeZone') ?? [];
}

/** The field a key of gatepost.toml is about; `null`: none of them. */
export function fieldOf(key: string): keyof Form | null {
  if (key.startsWith('wifi.networks')) return key.endsWith('.password') ? 'passphrase' : 'ssid';
  const known: Record<string, keyof Form> = {
    hostname: 'hostname',
    locale: 'locale',
    timezone: 'timezone',
    'keyboard.layout': 'keyboard',
    'keyboard.variant': 'variant',
    'wifi.country': 'country',
    'admin.name': 'name',
    'admin.password': 'password',
    'admin.ssh_keys': 'ssh_key',
  };
  return known[key] ?? null;
}
