// What makes the kiosk usable without its keys, without a steady hand, or without good eyes: the on-screen
// keyboard, the switches and how large and clear everything is, as the settings say.
import type { KeyTarget } from '../keybar.ts';
import { chordOf } from './chord.ts';
import { follow, Keyboard } from './keyboard.ts';
import { type Order, Switches } from './switch.ts';
import type { KioskSettings, Teller } from './told.ts';
import { say } from './window.ts';

/** Keeps keyboard and switches as the settings say. */
export class Access {
  readonly #switches: Switches;
  #keyboard: Keyboard | null = null;
  #stop = new AbortController();
  /** As what the present keyboard was made. */
  #made = '';
  /** The administrator's chord. */
  #admin = '';
  #settings: Pick<KioskSettings, 'keyboard' | 'keyboard_layout'> = {
    keyboard: 'never',
    keyboard_layout: 'us',
  };

  constructor(
    private readonly root: HTMLElement,
    private readonly target: KeyTarget,
  ) {
    this.#switches = new Switches(root, () => this.#keyboard ?? this.#make('always'));
  }

  /** Follows the settings from now on. */
  listen(teller: Teller): void {
    teller.on(({ kiosk }) => this.#configure(kiosk));
  }

  /** A switch was pressed that is one of the machine's own buttons. */
  order(order: Order): void {
    this.#switches.order(order);
  }

  /** Whoever was there has gone: no key is held for whoever comes, and no highlight waits. */
  rest(): void {
    this.#switches.rest();
    if (this.#keyboard) this.#keyboard.rest();
  }

  #configure(kiosk: KioskSettings): void {
    const { keyboard, keyboard_layout, switch_keys, switch_scan } = kiosk;
    this.#admin = kiosk.admin_chord;
    this.#switches.configure({ keys: switch_keys, every: switch_scan });
    const made = `${keyboard} ${keyboard_layout}`;
    if (made === this.#made) return;
    this.#made = made;
    this.#settings = { keyboard, keyboard_layout };
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#keyboard?.dispose();
    this.#keyboard = null;
    if (keyboard !== 'never') this.#make(keyboard);
  }

  #make(when: 'touch' | 'always'): Keyboard {
    const keyboard = new Keyboard(this.target, this.#settings.keyboard_layout, when, this.root);
    this.#keyboard = keyboard;
    // On a screen without keys it is the only way to the administrator's page.
    keyboard.catches = (chord) => {
      const is = this.#admin !== '' && chordOf(chord) === this.#admin;
      if (is) say('admin');
      return is;
    };
    if (when === 'touch') follow(keyboard, this.#stop.signal, (event) => this.#switches.isSwitch(event));
    return keyboard;
  }
}
