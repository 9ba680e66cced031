// The kiosk's terminal on its page: one and nothing else. Black until it is painted. Where people log in here, theirs.
import * as api from '../api.ts';
import type { Meta, Notice } from '../frames.ts';
import { type Message, Messages } from '../messages.ts';
import { Notices } from '../notices.ts';
import { type PageAround, Pane } from '../pane.ts';
import { clampFont, DEFAULTS, type Settings } from '../settings.ts';
import { dress, type Theme, themeOf } from '../themes.ts';
import { Attract } from './attract.ts';
import { Countdown } from './countdown.ts';
import { LoginSheet } from './login-sheet.ts';
import { leave, type Person, person } from './person.ts';
import { Presence } from './presence.ts';
import { Strip } from './strip.ts';
import type { KioskSettings, Teller } from './told.ts';
import { askForLogin, say } from './window.ts';

/** The terminal the kiosk shows. */
const NAME = 'kiosk';
/** Pause before the list is asked for again, in ms. */
const AGAIN = 1000;
/** How long the terminal waits for the settings before it is shown, in ms. */
const TELL_WITHIN = 700;

export class Kiosk implements PageAround {
  readonly kiosk = true;
  #theme = themeOf('dark');
  #settings: Settings = DEFAULTS;
  readonly #notices = new Notices();
  readonly #messages = new Messages(() => this.#pane?.focus());
  // First: the curtains stop what it has to see.
  readonly #presence = new Presence(() => this.#tellPresent());
  readonly #countdown = new Countdown(() => this.#presence.answer());
  readonly #attract = new Attract(() => {
    this.#here = true;
    this.#presence.answer();
    this.#focus();
  });
  readonly #strip = new Strip(() => void this.#end());
  readonly #login: LoginSheet | null;
  /** Who is logged in here, where people log in. */
  #person: Person | null = null;
  /** Somebody is leaving; the page begins anew after that. */
  #ending = false;
  #pane: Pane | null = null;
  /** What the keeper has said last; `null` before. */
  #used: boolean | null = null;
  #resetIn: number | null = null;
  /** Somebody has come to a terminal whose keeper doesn't know yet. */
  #here = false;
  /** Called when whoever was there has gone. */
  left: () => void = () => {};
  readonly #shownBy = performance.now() + TELL_WITHIN;

  constructor(
    private readonly root: HTMLElement,
    private readonly teller: Teller,
    /** Whether people log in here. */
    logsIn: boolean,
  ) {
    dress(this.#theme);
    this.#login = logsIn
      ? new LoginSheet(
          teller,
          () => void this.#arrived(),
          () => {
            this.#here = false;
            this.#leave();
          },
        )
      : null;
    if (this.#login) root.append(this.#login.element);
    root.append(
      this.#strip.element,
      this.#notices.element,
      this.#messages.element,
      this.#attract.element,
      this.#countdown.element,
    );
    teller.on((told) => {
      this.#dress(told.kiosk);
      this.#strip.dress(told);
      this.#attract.dress(told.kiosk.attract);
      if (this.#pane) this.changed(this.#pane);
      this.#asks();
    });
    setTimeout(() => {
      if (this.#pane) this.changed(this.#pane);
      this.#asks();
    }, TELL_WITHIN);
    // Nothing to choose, to drag or to open on a screen that strangers touch.
    for (const name of ['contextmenu', 'dragstart', 'drop', 'dragover', 'gesturestart']) {
      addEventListener(name, (event) => event.preventDefault(), { capture: true });
    }
    const zooms = (event: WheelEvent) => event.ctrlKey && event.preventDefault();
    addEventListener('wheel', zooms, { capture: true, passive: false });
    addEventListener('focus', () => this.#focus());
    addEventListener('pointerup', () => this.#pane?.focus());
    // Whatever took the keyboard and went: there is one thing here that keys can be for.
    addEventListener(
      'keydown',
      () => {
        if (document.activeElement === document.body && !document.querySelector('dialog[open]'))
          this.#focus();
      },
      { capture: true },
    );
  }

  settings(): Settings {
    return this.#settings;
  }

  /** Types as a person does, for the keyboard on the screen. */
  type(bytes: Uint8Array): void {
    this.#pane?.type(bytes);
    this.#pane?.view.term.scrollToBottom();
  }

  /** Whether the program asked for application cursor keys. */
  applicationCursor(): boolean {
    return this.#pane?.view.term.modes.applicationCursorKeysMode ?? false;
  }

  /** How large and in what colours everything is. */
  #dress({ theme, text_size, screen_reader }: KioskSettings): void {
    this.#theme = themeOf(theme);
    this.#settings = { ...DEFAULTS, fontSize: clampFont(text_size), screenReader: screen_reader };
    dress(this.#theme);
    document.documentElement.classList.toggle('high-contrast', theme === 'high-contrast');
    this.#pane?.dress();
  }

  theme(): Theme {
    return this.#theme;
  }

  notify(level: Notice['level'], text: string, action?: { label: string; run(): void }, key?: string): void {
    this.#notices.show(level, text, action, key);
  }

  /** Says what is wrong with the machine itself, until somebody closes it. */
  warn(text: string): void {
    this.#notices.lasting(text);
  }

  message(message: Message, tell: (id: number) => Promise<unknown>): void {
    this.#messages.show(message, tell);
  }

  changed(pane: Pane): void {
    const { live, meta } = pane.attachment;
    if (live) {
      this.#presence.reachable();
      this.#follow(pane, meta);
    }
    if (pane.painted && this.#dressed && !this.root.classList.contains('painted')) {
      this.root.classList.add('painted');
      requestAnimationFrame(() => say('painted'));
    }
    const { phase } = pane.attachment.link;
    if (this.#login) {
      if (phase === 'logged-out' || phase === 'gone') void this.#end();
      return;
    }
    if (phase === 'logged-out') askForLogin();
    if (phase === 'gone') {
      pane.dispose();
      this.#pane = null;
      this.#leave();
      void this.start();
    }
  }

  /** What lies over everything else is to be there first. */
  get #dressed(): boolean {
    return this.teller.told !== null || performance.now() >= this.#shownBy;
  }

  /** The form is there to be seen. */
  #asks(): void {
    if (this.#login?.shown && this.#dressed) requestAnimationFrame(() => say('painted'));
  }

  #focus(): void {
    if (this.#pane) this.#pane.focus();
    else this.#login?.focus();
  }

  /** Somebody has logged in: what was over the form is for them no more. */
  async #arrived(): Promise<void> {
    this.#here = true;
    this.#login?.hide();
    await this.start();
  }

  /** Whoever was logged in has gone, or is to. What the page holds of them goes with the page itself. */
  async #end(text?: string): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#pane?.dispose();
    this.#pane = null;
    this.#person = null;
    this.#countdown.stop();
    this.#strip.welcome(null);
    this.#notices.clear();
    this.#messages.clear();
    say('forget');
    await leave();
    if (text === undefined) {
      location.reload();
      return;
    }
    // They have had nothing yet, and are to read why.
    this.#ending = false;
    this.#login?.say(text);
    await this.start();
  }

  /**
   * Somebody pressed what is no key of this page's, such as a button of the machine; `true` when that was the answer
   * to what lies over the terminal, and is to do nothing else.
   */
  answered(): boolean {
    const over = this.#countdown.up || this.#attract.up;
    this.#countdown.stop();
    if (this.#attract.up) this.#here = true;
    this.#attract.want(false);
    this.#presence.answer();
    return over;
  }

  #tellPresent(): boolean {
    const attachment = this.#pane?.attachment;
    if (!attachment?.live) return false;
    // A keeper of an older version doesn't know the word, and has no clock for it either.
    attachment.ask({ op: 'present' }).catch(() => {});
    return true;
  }

  /** Shows what the keeper knows of whoever is there. */
  #follow(pane: Pane, meta: Meta): void {
    const used = meta.used ?? true;
    // Somebody who has just logged in is there, whatever the keeper knows.
    if (used || this.#person) this.#here = false;
    else if (this.#used !== false) {
      pane.view.term.clearSelection();
      pane.view.term.scrollToBottom();
      this.#leave();
    }
    this.#used = used;
    this.#attract.want(!used && !this.#here && !this.#person);
    const resetIn = meta.reset_in_ms ?? null;
    if (resetIn !== this.#resetIn) {
      this.#resetIn = resetIn;
      if (resetIn === null) this.#countdown.stop();
      else this.#countdown.start(resetIn);
    }
    this.#strip.watch(meta.viewers ?? []);
  }

  /** Whoever was there has gone, and what was shown to them with them. */
  #leave(): void {
    this.#used = false;
    this.#resetIn = null;
    this.#presence.gone();
    this.#countdown.stop();
    this.left();
    this.#notices.clear();
    this.#messages.clear();
    if (this.teller.told?.kiosk.forget.includes('clipboard')) say('forget');
    if (!this.#here) this.#attract.want(true);
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
        if (this.#login) {
          this.#person = await person();
          if (!this.#person) {
            this.#attract.want(!this.#here);
            await this.#login.show();
            this.#asks();
            return;
          }
          this.#strip.welcome(this.#person.name);
        }
        const found = (await api.list()).find((info) => this.#isOurs(info));
        const id = found?.id ?? (await api.open({ name: NAME }));
        if (this.#ending) return;
        this.#pane = new Pane(id, this);
        this.root.append(this.#pane.element);
        this.#pane.show(false);
        this.#pane.focus();
        return;
      } catch (error) {
        if (!(error instanceof api.ApiError)) throw error;
        if (error.status === 401) {
          if (this.#login) void this.#end();
          else askForLogin();
          return;
        }
        if (this.#login && error.status !== 0) {
          void this.#end(`You could log in, but there is no terminal for you: ${error.message}.`);
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

  /** Whether this is the terminal to show. One whose program has ended is none for somebody who comes. */
  #isOurs({ name, owner, exit_status, exit_signal }: api.TerminalInfo): boolean {
    if (name !== NAME) return false;
    if (!this.#person) return true;
    return owner === this.#person.owner && exit_status === null && exit_signal === null;
  }
}
