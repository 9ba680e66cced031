// The kiosk's terminal on its page: one and nothing else. Black until it is painted.
import * as api from '../api.ts';
import type { Notice } from '../frames.ts';
import { type Message, Messages } from '../messages.ts';
import { Notices } from '../notices.ts';
import { type PageAround, Pane } from '../pane.ts';
import { DEFAULTS, type Settings } from '../settings.ts';
import { dress, type Theme, themeOf } from '../themes.ts';
import { askForLogin, say } from './window.ts';

/** The terminal the kiosk shows. */
const NAME = 'kiosk';
/** Pause before the list is asked for again, in ms. */
const AGAIN = 1000;

export class Kiosk implements PageAround {
  readonly kiosk = true;
  readonly #theme = themeOf('dark');
  readonly #notices = new Notices();
  readonly #messages = new Messages(() => this.#pane?.focus());
  #pane: Pane | null = null;

  constructor(private readonly root: HTMLElement) {
    dress(this.#theme);
    root.append(this.#notices.element, this.#messages.element);
    // Nothing to choose, to drag or to open on a screen that strangers touch.
    for (const name of ['contextmenu', 'dragstart', 'drop', 'dragover', 'gesturestart']) {
      addEventListener(name, (event) => event.preventDefault(), { capture: true });
    }
    const zooms = (event: WheelEvent) => event.ctrlKey && event.preventDefault();
    addEventListener('wheel', zooms, { capture: true, passive: false });
    addEventListener('focus', () => this.#pane?.focus());
    addEventListener('pointerup', () => this.#pane?.focus());
  }

  settings(): Settings {
    return DEFAULTS;
  }

  theme(): Theme {
    return this.#theme;
  }

  notify(level: Notice['level'], text: string, action?: { label: string; run(): void }, key?: string): void {
    this.#notices.show(level, text, action, key);
  }

  message(message: Message, tell: (id: number) => Promise<unknown>): void {
    this.#messages.show(message, tell);
  }

  changed(pane: Pane): void {
    if (pane.painted && !this.root.classList.contains('painted')) {
      this.root.classList.add('painted');
      requestAnimationFrame(() => say('painted'));
    }
    const { phase } = pane.attachment.link;
    if (phase === 'logged-out') askForLogin();
    if (phase === 'gone') {
      pane.dispose();
      this.#pane = null;
      void this.start();
    }
  }

  output(): void {}

  clipboard(_pane: Pane, text: string): void {
    // Fails without a word where the browser doesn't allow it: nobody here could do anything about it.
    navigator.clipboard?.writeText(text).catch(() => {});
  }

  close(): void {}

  typed(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  /** Attaches to the kiosk's terminal, opening it when it isn't there, for as long as it takes. */
  async start(): Promise<void> {
    for (;;) {
      try {
        const found = (await api.list()).find(({ name }) => name === NAME);
        const id = found?.id ?? (await api.open({ name: NAME }));
        this.#pane = new Pane(id, this);
        this.root.append(this.#pane.element);
        this.#pane.show(false);
        this.#pane.focus();
        return;
      } catch (error) {
        if (!(error instanceof api.ApiError)) throw error;
        if (error.status === 401) {
          askForLogin();
          return;
        }
        // On a screen without keys for it, the reason is all there is to go by.
        if (error.status !== 0) {
          this.notify('warning', `The terminal can't be opened: ${error.message}`, undefined, 'kiosk');
          say('painted');
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
  }
}
