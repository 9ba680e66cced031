// Where people log in at the kiosk, one after another: the page's own login form, over the whole screen.
import * as api from '../api.ts';
import { h } from '../dom.ts';
import { LoginForm, others } from '../login.ts';
import { tidy } from '../text.ts';
import type { Teller } from './told.ts';

/** What was typed here and left is gone after this long, in ms. */
const LEFT = 60_000;
/** Pause before the server is asked again for the ways to log in, in ms. */
const AGAIN = 1000;
/** Ways that need nothing but this page: it leads nowhere else, and has no tickets and no certificates. */
const HERE = new Set(['pam', 'local', 'none']);

export class LoginSheet {
  readonly element = h('main', {
    className: 'sheet alone logged-out kiosk-login',
    hidden: true,
    attrs: { 'aria-labelledby': 'login-title' },
  });
  readonly #name = h('h1', { id: 'login-title' });
  readonly #said = h('p', { className: 'failure', hidden: true, attrs: { role: 'alert' } });
  readonly #place = h('div', { className: 'place' });
  #form: LoginForm | null = null;
  #ways: api.WayIn[] | null = null;
  #clock: ReturnType<typeof setTimeout> | null = null;

  /** `done` is called when somebody is in, `left` when somebody has gone without. */
  constructor(
    teller: Teller,
    private readonly done: () => void,
    private readonly left: () => void,
  ) {
    this.element.append(this.#name, this.#said, this.#place);
    teller.on(({ machine }) => {
      this.#name.textContent = tidy(machine.name, 64);
    });
    for (const name of ['keydown', 'pointerdown', 'input'])
      addEventListener(name, () => this.#wind(), { capture: true, passive: true });
  }

  get shown(): boolean {
    return !this.element.hidden;
  }

  /** Shows it, for whoever is there now. */
  async show(): Promise<void> {
    this.element.hidden = false;
    while (this.#ways === null) {
      this.#ways = await api.ways().catch(() => null);
      if (this.#ways === null) await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
    this.#begin();
    this.#wind();
  }

  /** Says why somebody who got in is out again. */
  say(text: string): void {
    this.#said.textContent = text;
    this.#said.hidden = false;
  }

  hide(): void {
    this.element.hidden = true;
    if (this.#clock !== null) clearTimeout(this.#clock);
    this.#clock = null;
    // Not even the name stays in the page.
    this.#place.replaceChildren();
    this.#form = null;
    this.#said.hidden = true;
  }

  focus(): void {
    if (this.shown) this.#form?.focus();
  }

  /** A form that nobody has written into. */
  #begin(): void {
    const ways = (this.#ways ?? []).filter(({ way }) => HERE.has(way));
    const asked = ways.some(({ way }) => way !== 'none');
    this.#form = asked ? new LoginForm(() => this.done()) : null;
    const elsewhere = others(ways, () => this.done());
    const nothing =
      !asked &&
      !elsewhere &&
      h('p', {
        textContent: 'No way to log in here is open: server.auth has neither pam nor local in it.',
      });
    const parts = [this.#form?.element, elsewhere, nothing];
    this.#place.replaceChildren(...parts.filter((part): part is HTMLElement => Boolean(part)));
    this.focus();
  }

  /** Somebody does something: the clock begins anew. */
  #wind(): void {
    if (!this.shown) return;
    if (this.#clock !== null) clearTimeout(this.#clock);
    this.#clock = setTimeout(() => {
      this.#clock = null;
      // Somebody waits for an answer: a phone that is asked takes its time.
      if (this.#form?.element.getAttribute('aria-busy') === 'true') return this.#wind();
      this.#said.hidden = true;
      this.#begin();
      this.left();
    }, LEFT);
  }
}
