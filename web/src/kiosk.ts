// The page on the kiosk's own screen: one terminal and nothing else. Black until it is painted.
import * as api from './api.ts';
import { h } from './dom.ts';
import { follow } from './events.ts';
import type { Notice } from './frames.ts';
import { type Message, Messages } from './messages.ts';
import { Notices } from './notices.ts';
import { type PageAround, Pane } from './pane.ts';
import { DEFAULTS, type Settings } from './settings.ts';
import { dress, type Theme, themeOf } from './themes.ts';

/** The terminal the kiosk shows. */
const NAME = 'kiosk';
/** Pause before the list is asked for again, in ms. */
const AGAIN = 1000;

/** How often the page says that it lives, in ms. The window replaces one that is silent for 8 s. */
const BEAT = 1000;
/** How long a pointer that rests is seen, in ms. */
const REST = 2000;

/** The window around the page, when there is one: it looks after the page. */
interface Window_ {
  ipc?: { postMessage(message: string): void };
}

/** Says one of the words of `src/wire/kiosk.rs` to the window. */
function say(word: 'beat' | 'painted' | 'login'): void {
  (window as Window_).ipc?.postMessage(word);
}

class Kiosk implements PageAround {
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

/** Tells the window that this page's login is gone, so that it loads a fresh address. */
export function askForLogin(): void {
  say('login');
}

/** Shows the administrator's first password until somebody in front of this screen has noted it. */
async function showFreshPassword(root: HTMLElement): Promise<void> {
  const fresh = await api.freshPassword().catch(() => null);
  if (!fresh) return;
  const shown = await api.certificate().catch(() => null);
  const noted = h('button', { textContent: 'I have noted it' });
  // Modal: the terminal underneath can't take the keys, however often it asks for them.
  const sheet = h(
    'dialog',
    {
      className: 'fresh-password',
      attrs: { 'aria-labelledby': 'fresh-title' },
      oncancel: (event) => event.preventDefault(),
    },
    h('h1', { id: 'fresh-title', textContent: 'The administrator of this machine' }),
    h(
      'dl',
      {},
      h('dt', { textContent: 'Name' }),
      h('dd', { textContent: fresh.user }),
      h('dt', { textContent: 'Password' }),
      h('dd', { textContent: fresh.password }),
      shown && h('dt', { textContent: 'Address' }),
      shown && h('dd', { textContent: shown.address }),
      shown && h('dt', { textContent: 'Fingerprint of its certificate (SHA-256)' }),
      shown && h('dd', { className: 'fingerprint', textContent: shown.fingerprint }),
    ),
    h('p', {
      textContent:
        'It was made for this machine, and is shown here until it is noted or used, and never again.',
    }),
    noted,
  );
  sheet.addEventListener('keydown', (event) => event.stopPropagation());
  const away = () => sheet.remove();
  noted.onclick = () => void api.passwordNoted().then(away, away);
  root.append(sheet);
  sheet.showModal();
  say('painted');
  noted.focus();
  // Whoever logs in with it has it.
  const timer = setInterval(() => {
    if (!sheet.isConnected) return clearInterval(timer);
    void api.freshPassword().then(
      (still) => still === null && away(),
      () => {},
    );
  }, 5000);
}

/** Most mistakes that are shown; who mends those sees the next. */
const MISTAKES = 3;

/** Says what is wrong with the files the machine was given its settings by, until somebody closes it. */
async function showMistakes(kiosk: Kiosk): Promise<void> {
  const report = await api.provisioning().catch(() => null);
  const wrong = report?.lines.filter((line) => line.wrong) ?? [];
  for (const { text } of wrong.slice(0, MISTAKES)) {
    kiosk.notify('error', report?.applied ? text : `Not taken over from the card: ${text}`);
  }
}

/** Says again and again that the page lives, which is: that it runs and gets to paint. */
function beat(): void {
  const now = () => requestAnimationFrame(() => say('beat'));
  setInterval(now, BEAT);
  now();
}

/** Hides the pointer, or hides it while it rests. */
function point(when: string | null): void {
  const { classList } = document.documentElement;
  const hide = () => classList.add('no-pointer');
  if (when === 'never') hide();
  if (when !== 'idle') return;
  let timer = setTimeout(hide, 0);
  addEventListener('pointermove', () => {
    classList.remove('no-pointer');
    clearTimeout(timer);
    timer = setTimeout(hide, REST);
  });
}

export function startKiosk(root: HTMLElement): void {
  document.documentElement.classList.add('kiosk');
  beat();
  point(new URLSearchParams(location.hash.slice(1)).get('cursor'));
  void showFreshPassword(root);
  const kiosk = new Kiosk(root);
  void showMistakes(kiosk);
  void kiosk.start();
  // Whoever administers it may want this page loaded anew.
  follow({ listed: () => {}, changed: () => {}, reload: () => location.reload() }).start();
}
