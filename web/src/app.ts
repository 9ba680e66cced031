// The page in a browser: tabs, overview, menu; it holds the panes together and decides nothing about terminals.

import type { TerminalInfo } from './api.ts';
import * as api from './api.ts';
import { Attention, notifyDesktop } from './attention.ts';
import { Choices } from './choices.ts';
import { Commands } from './commands.ts';
import { Deeds } from './deeds.ts';
import { h, type Icon, iconButton } from './dom.ts';
import { follow } from './events.ts';
import type { Notice } from './frames.ts';
import { KeyBar } from './keybar.ts';
import { chord } from './keys.ts';
import type { Driver } from './link.ts';
import { type Message, Messages } from './messages.ts';
import { type NoticeAction, Notices } from './notices.ts';
import { type PageAround, Pane } from './pane.ts';
import { load, type Settings, save } from './settings.ts';
import { Status, wordFor } from './status.ts';
import { Tabs } from './tabs.ts';
import { called } from './text.ts';
import { dress, type Theme, themeOf } from './themes.ts';

/** Most terminals attached at once; the least recently seen are let go. Each costs the page a few MB. */
const MOST_PANES = 12;

export class App implements PageAround {
  readonly kiosk = false;
  readonly #notices = new Notices();
  readonly #messages = new Messages(() => this.#pane?.focus());
  readonly #stage = h('main', { className: 'stage' });
  readonly #tabs: Tabs;
  readonly #status: Status;
  readonly #deeds: Deeds;
  readonly #attention: Attention;
  readonly #empty = h('div', { className: 'empty', hidden: true });
  readonly #keyBar: KeyBar;
  readonly #commands: Commands;
  readonly #events: Driver;
  /** Makes each button of the bar say its shortcut. */
  readonly #tools: (() => void)[] = [];
  readonly #panes = new Map<string, Pane>();
  #terminals: TerminalInfo[] = [];
  /** The last one that went without this page's doing. */
  #gone: { id: string; name: string } | null = null;
  #active: string | null = null;
  #overview = false;
  #settings: Settings = load(localStorage);
  readonly #choices = new Choices((text) => this.notify('warning', text, undefined, 'choices'));
  #theme: Theme = themeOf(this.#settings.theme);
  /** Terminals this page closed: a list still on its way may have them, and their going needs no notice. */
  readonly #closed = new Set<string>();
  /** The terminal this page opened last, until the server's own list has it. */
  #opened: TerminalInfo | null = null;

  constructor(
    root: HTMLElement,
    terminals: TerminalInfo[],
    private readonly loggedOut: (then?: () => void) => void,
  ) {
    this.#tabs = new Tabs({
      choose: (id) => this.activate(id),
      close: (id) => void this.#deeds.close(id),
      rename: (id) => void this.#deeds.rename(id),
    });
    this.#keyBar = new KeyBar({
      type: (bytes) => this.#pane?.type(bytes),
      applicationCursor: () => this.#pane?.view.term.modes.applicationCursorKeysMode ?? false,
    });
    this.#deeds = new Deeds({
      info: (id) => this.#info(id),
      pane: (id) => this.#panes.get(id),
      front: () => this.#pane,
      label: (id) => this.#tabs.label(id) ?? 'it',
      opened: (id, list) => {
        this.#opened = list.find((info) => info.id === id) ?? null;
        this.#listed(list);
        this.activate(id);
      },
      closed: (id) => {
        this.#closed.add(id);
        this.#listed(this.#terminals);
        if (this.#terminals.length === 0) void this.#deeds.open(true);
      },
      notify: (...notice) => this.notify(...notice),
      loggedOut: (then) => this.loggedOut(then),
    });
    this.#status = new Status(() => {
      this.#pane?.takeSize();
      this.#pane?.focus();
    });
    this.#attention = new Attention({
      inView: (id) => this.#inView(id),
      marked: () => this.#draw(),
      tell: (id, what) => this.#tell(id, what),
    });
    this.#commands = new Commands({
      deeds: this.#deeds,
      attention: this.#attention,
      stage: this.#stage,
      pane: () => this.#pane,
      active: () => this.#active,
      terminals: () => this.#terminals,
      overview: () => this.#overview,
      toggleOverview: (on) => this.#toggleOverview(on),
      activate: (id) => this.activate(id),
      settings: () => this.#settings,
      changed: (settings) => {
        this.#settings = settings;
        save(localStorage, settings);
        this.#choices.keep(settings);
        this.#dress();
      },
      notify: (...notice) => this.notify(...notice),
    });
    const bar = h(
      'header',
      { className: 'bar' },
      this.#tabs.element,
      this.#tool('plus', 'Open a terminal', 'N', () => void this.#deeds.open()),
      h('span', { className: 'space' }),
      this.#status.owner,
      this.#status.pill,
      this.#tool('grid', 'All terminals', 'G', () => this.#toggleOverview()),
      this.#tool('search', 'Search', 'F', () => void this.#commands.search()),
      this.#commands.menuButton,
    );
    this.#empty.append(
      h('p', { textContent: 'No terminal is open.' }),
      h('button', {
        className: 'main',
        textContent: 'Open a terminal',
        onclick: () => void this.#deeds.open(),
      }),
    );
    this.#stage.append(this.#empty);
    root.replaceChildren(
      bar,
      this.#stage,
      this.#keyBar.element,
      this.#notices.element,
      this.#messages.element,
    );
    this.#dress();
    for (const query of ['(prefers-color-scheme: light)', '(prefers-contrast: more)', '(pointer: coarse)']) {
      matchMedia(query).addEventListener('change', () => this.#dress());
    }
    addEventListener('keydown', (event) => this.#commands.keydown(event), { capture: true });
    addEventListener('hashchange', () => this.#fromAddress());
    document.addEventListener('visibilitychange', () => this.#seen());
    this.#events = follow({
      listed: (list, lost) => {
        if (list.some(({ id }) => id === this.#opened?.id)) this.#opened = null;
        this.#listed(list);
        for (const id of lost) this.#lost(id);
      },
      changed: () => this.#stand(),
    });
    // The terminal first: it is what the person waits for.
    this.#listed(terminals);
    this.#events.start();
    if (terminals.length === 0) void this.#deeds.open(true);
    void this.#choices.kept().then((settings) => {
      if (!settings) return;
      this.#settings = settings;
      save(localStorage, settings);
      this.#dress();
    });
  }

  settings(): Settings {
    return this.#settings;
  }

  theme(): Theme {
    return this.#theme;
  }

  notify(level: Notice['level'], text: string, action?: NoticeAction, key?: string): void {
    this.#notices.show(level, text, action, key);
  }

  message(message: Message, tell: (id: number) => Promise<unknown>): void {
    this.#messages.show(message, tell);
  }

  changed(pane: Pane): void {
    const { phase } = pane.attachment.link;
    if (phase === 'logged-out') this.loggedOut();
    // The list may not have heard yet; when it hasn't by then, the terminal really is there.
    if (phase === 'gone')
      void api.list().then(
        (list) => this.#listed(list),
        () => {},
      );
    if (pane.id === this.#active) this.#stand();
    this.#draw();
  }

  output(pane: Pane): void {
    this.#attention.output(pane.id);
  }

  clipboard(pane: Pane, text: string): void {
    this.#deeds.offerCopy(called(pane.attachment.meta), text, pane.id === this.#active);
  }

  close(pane: Pane): void {
    void this.#deeds.close(pane.id);
  }

  typed(bytes: Uint8Array): Uint8Array {
    return this.#keyBar.apply(bytes);
  }

  /** Brings a terminal to the front. */
  activate(id: string): void {
    if (!this.#info(id)) return;
    this.#active = id;
    this.#overview = false;
    this.#attention.seen(id);
    history.replaceState(null, '', `#terminal=${id}`);
    this.#arrange();
    this.#commands.closeSearch();
    this.#pane?.focus();
    this.#draw();
    this.#stand();
  }

  get #pane(): Pane | undefined {
    return this.#active === null ? undefined : this.#panes.get(this.#active);
  }

  // ——— the list ———

  #info(id: string): TerminalInfo | undefined {
    return this.#terminals.find((terminal) => terminal.id === id);
  }

  /** Takes a list; one that was under way while this page opened or closed a terminal is behind. */
  #listed(list: TerminalInfo[]): void {
    const opened = this.#opened && !list.includes(this.#opened) ? [this.#opened] : [];
    const terminals = [...list, ...opened].filter(
      ({ id }, index, all) => !this.#closed.has(id) && all.findIndex((info) => info.id === id) === index,
    );
    const before = new Map(this.#terminals.map((terminal) => [terminal.id, terminal]));
    const wasAt = this.#terminals.findIndex(({ id }) => id === this.#active);
    this.#terminals = terminals;
    const now = new Set(terminals.map(({ id }) => id));
    for (const [id, info] of before) {
      if (!now.has(id)) this.#forget(info);
    }
    for (const info of terminals) this.#news(info, before.get(info.id));
    if (this.#active === null || !now.has(this.#active)) {
      const wanted = terminals.find(({ id }) => id === wantedTerminal());
      const next = wanted ?? terminals[Math.min(Math.max(0, wasAt), terminals.length - 1)];
      this.#active = null;
      if (next) this.activate(next.id);
    }
    this.#empty.hidden = terminals.length > 0;
    this.#arrange();
    this.#draw();
  }

  #forget(info: TerminalInfo): void {
    this.#panes.get(info.id)?.dispose();
    this.#panes.delete(info.id);
    this.#attention.forget(info.id);
    if (this.#closed.has(info.id)) return;
    this.#gone = { id: info.id, name: called(info) };
    this.notify('info', `${called(info)} was closed.`, undefined, `gone-${info.id}`);
  }

  /** What was taken for closed was killed. */
  #lost(id: string): void {
    const name = this.#gone?.id === id ? this.#gone.name : 'A terminal';
    const why = 'what kept it was killed, perhaps for want of memory, or broke';
    this.notify('error', `${name} is lost: ${why}.`, undefined, `gone-${id}`);
  }

  #news(info: TerminalInfo, before: TerminalInfo | undefined): void {
    if (!before) return;
    if (info.bells > before.bells) this.#attention.mark(info.id, 'bell');
    const ended = (terminal: TerminalInfo) => terminal.exit_status !== null || terminal.exit_signal !== null;
    if (ended(info) && !ended(before)) this.#attention.mark(info.id, 'ended');
    if (info.last_output !== before.last_output && !this.#panes.has(info.id)) this.#attention.output(info.id);
  }

  // ——— what happens while nobody looks ———

  #inView(id: string): boolean {
    return document.visibilityState === 'visible' && (this.#overview || id === this.#active);
  }

  #tell(id: string, what: string): void {
    const info = this.#info(id);
    const sentence = `${info ? called(info) : 'A terminal'} ${what}.`;
    const show = () => this.activate(id);
    this.notify('info', sentence, { label: 'Show', run: show }, `watch-${id}`);
    notifyDesktop(sentence, id, show);
  }

  #seen(): void {
    if (this.#active !== null && this.#inView(this.#active)) this.#attention.seen(this.#active);
  }

  // ——— what is seen ———

  #arrange(): void {
    const wanted = this.#overview
      ? this.#terminals.slice(0, MOST_PANES).map(({ id }) => id)
      : this.#active === null
        ? []
        : [this.#active];
    this.#stage.classList.toggle('overview', this.#overview);
    this.#stage.style.setProperty('--columns', String(Math.ceil(Math.sqrt(wanted.length))));
    for (const id of wanted) {
      let pane = this.#panes.get(id);
      if (!pane) {
        pane = new Pane(id, this);
        this.#panes.set(id, pane);
        this.#stage.append(pane.element);
      }
      // Last in the map = most recently seen.
      if (!this.#overview) {
        this.#panes.delete(id);
        this.#panes.set(id, pane);
      }
    }
    for (const [id, pane] of this.#panes) {
      if (wanted.includes(id)) pane.show(this.#overview);
      else pane.hide();
    }
    for (const [id, pane] of this.#panes) {
      if (this.#panes.size <= MOST_PANES) break;
      if (wanted.includes(id) || this.#attention.watching(id) !== 'nothing') continue;
      pane.dispose();
      this.#panes.delete(id);
    }
    this.#keyBar.element.hidden =
      this.#overview ||
      this.#active === null ||
      this.#settings.keyBar === 'off' ||
      (this.#settings.keyBar === 'auto' && !matchMedia('(pointer: coarse)').matches);
  }

  #toggleOverview(on = !this.#overview): void {
    this.#overview = on;
    if (on) {
      this.#attention.allSeen();
      (document.activeElement as HTMLElement | null)?.blur();
    }
    this.#arrange();
    this.#draw();
    this.#stand();
    if (on) this.#cover();
    else this.#pane?.focus();
  }

  /** In the overview each pane is one button. */
  #cover(): void {
    for (const info of this.#terminals) {
      const pane = this.#panes.get(info.id);
      if (!pane) continue;
      pane.element.querySelector('.cover')?.remove();
      const cover = h(
        'button',
        {
          className: 'cover',
          onclick: () => this.activate(info.id),
          attrs: { 'aria-label': `Show ${called(info)}` },
        },
        h('span', { textContent: called(info) }),
      );
      pane.element.append(cover);
      if (info.id === this.#active) cover.focus();
    }
  }

  #draw(): void {
    this.#tabs.draw(
      this.#terminals.map((info) => {
        const pane = this.#panes.get(info.id);
        const meta = pane?.attachment.live ? pane.attachment.meta : info;
        const ended = pane?.attachment.live
          ? pane.exit !== null
          : info.exit_status !== null || info.exit_signal !== null;
        return {
          id: info.id,
          label: called({ ...info, name: meta.name ?? null, title: meta.title ?? null }),
          active: info.id === this.#active && !this.#overview,
          ended,
          watched: this.#attention.watching(info.id) !== 'nothing',
          mark: this.#attention.markOf(info.id),
        };
      }),
    );
    if (this.#overview) {
      for (const info of this.#terminals) {
        const label = this.#panes.get(info.id)?.element.querySelector('.cover span');
        if (label) label.textContent = called(info);
      }
    }
    const active = this.#tabs.label(this.#active);
    document.title = `${this.#attention.loud ? '● ' : ''}${active && !this.#overview ? `${active} – ` : ''}Gatepost`;
  }

  #stand(): void {
    const pane = this.#pane;
    const link = pane?.attachment.link ?? this.#events.link;
    const word = wordFor(link, pane?.exit != null, pane?.behind ?? false);
    this.#status.show(word, this.#overview ? null : (pane?.foreignSize ?? null));
  }

  /** A button of the bar, whose tooltip says its shortcut. */
  #tool(name: Icon, label: string, key: string, onclick: () => void): HTMLButtonElement {
    const button = iconButton(name, label, onclick);
    this.#tools.push(() => {
      const keys = chord(key, this.#settings.held);
      button.title = keys ? `${label} (${keys})` : label;
      button.setAttribute('aria-label', button.title);
    });
    return button;
  }

  #dress(): void {
    for (const tool of this.#tools) tool();
    this.#theme = themeOf(this.#settings.theme);
    dress(this.#theme);
    this.#arrange();
    for (const pane of this.#panes.values()) pane.dress();
  }

  #fromAddress(): void {
    const id = wantedTerminal();
    if (id !== null && id !== this.#active) this.activate(id);
  }
}

/** The terminal the address names, so that a reload and a bookmark find it again. */
function wantedTerminal(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get('terminal');
}
