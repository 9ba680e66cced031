// What the server tells the page on the kiosk's own screen: its settings, and what machine this is.

import type { Whom } from '../setup/api.ts';
import type { ThemeName } from '../themes.ts';
import type { LayoutName } from './layouts.ts';

/** Section `kiosk` of the configuration, as far as this page goes by it. */
export interface KioskSettings {
  /** Whoever comes logs in. */
  login: boolean;
  idle_does: 'close' | 'restart';
  forget: ('home' | 'clipboard')[];
  attract: { title: string; lines: string[]; picture: string | null; clock: boolean };
  strip: 'off' | 'top' | 'bottom';
  admin_chord: string;
  identity: 'first-use' | 'never';
  theme: Exclude<ThemeName, 'auto'>;
  text_size: number;
  screen_reader: boolean;
  keyboard: 'never' | 'touch' | 'always';
  keyboard_layout: LayoutName;
  switch_keys: string[];
  /** In ms. */
  switch_scan: number | null;
}

/** One message of `ws/kiosk`. */
export interface Told {
  kiosk: KioskSettings;
  /** Who may set it up, and its access point for that while there is one. */
  setup: Whom & { access_point: { ssid: string; passphrase: string; address: string; tried: string } | null };
  machine: { name: string; address: string; addresses: string[]; first_use: boolean; unlocked: boolean };
}

/** Passes on what the server has told last, to whoever goes by it. */
export class Teller {
  #told: Told | null = null;
  readonly #listeners = new Set<(told: Told) => void>();

  /** What was told last; `null` before the first time. */
  get told(): Told | null {
    return this.#told;
  }

  /** Calls `listener` now, if there is something to tell, and whenever that changes. */
  on(listener: (told: Told) => void): void {
    this.#listeners.add(listener);
    if (this.#told) listener(this.#told);
  }

  tell(told: Told): void {
    this.#told = told;
    for (const listener of this.#listeners) listener(told);
  }
}
