// What a person tells the page: keys, the menu, and the parts of the page that are fetched when first wanted.
import type { Watching } from './activity.ts';
import * as api from './api.ts';
import type { Attention } from './attention.ts';
import type { Deeds } from './deeds.ts';
import { iconButton } from './dom.ts';
import type { Level } from './frames.ts';
import { type Command, chord, commandOf } from './keys.ts';
import { openMenu } from './menu.ts';
import type { NoticeAction } from './notices.ts';
import type { Pane } from './pane.ts';
import type { SearchPanel } from './search.ts';
import type { Settings } from './settings.ts';

/** Who has one of these rights finds something on the admin page. */
const ADMIN = ['watch', 'type', 'message', 'admin', 'power'];

/** The page around. */
export interface Desk {
  readonly deeds: Deeds;
  readonly attention: Attention;
  readonly stage: HTMLElement;
  /** The pane in front. */
  pane(): Pane | undefined;
  /** The terminal in front. */
  active(): string | null;
  terminals(): api.TerminalInfo[];
  overview(): boolean;
  toggleOverview(on?: boolean): void;
  activate(id: string): void;
  settings(): Settings;
  /** The person has changed the settings. */
  changed(settings: Settings): void;
  notify(level: Level, text: string, action?: NoticeAction, key?: string): void;
}

export class Commands {
  readonly menuButton = iconButton('menu', 'Menu', () => this.#menu());
  #search: SearchPanel | null = null;
  /** What this login may do; nothing until the server has said it. */
  #may: string[] = [];

  constructor(private readonly page: Desk) {
    this.menuButton.setAttribute('aria-haspopup', 'menu');
    void api.me().then(
      ({ may }) => {
        this.#may = may;
      },
      () => {},
    );
  }

  closeSearch(): void {
    if (this.#search?.element.hidden === false) this.#search.close();
  }

  keydown(event: KeyboardEvent): void {
    if (document.querySelector('dialog[open], .menu')) return;
    if (event.key === 'Escape' && this.page.overview()) {
      this.page.toggleOverview(false);
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const { code, ctrlKey, altKey, shiftKey, metaKey } = event;
    const stroke = { code, ctrlKey, altKey, shiftKey, metaKey, altGraph: event.getModifierState('AltGraph') };
    const inTerminal = event.target instanceof Element && event.target.closest('.pane') !== null;
    const selected = inTerminal && (this.page.pane()?.view.term.hasSelection() ?? false);
    const { ctrlVPastes, held } = this.page.settings();
    const command = commandOf(stroke, selected, ctrlVPastes, held);
    if (command === null) return;
    if (command === 'copy' || command === 'paste') {
      if (!inTerminal) return;
      // The terminal must not see it; the browser itself does the pasting.
      event.stopPropagation();
      if (command === 'paste') return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#run(command);
  }

  #run(command: Command): void {
    const active = this.page.active();
    switch (command) {
      case 'new':
        void this.page.deeds.open();
        break;
      case 'close':
        if (active !== null) void this.page.deeds.close(active);
        break;
      case 'rename':
        if (active !== null) void this.page.deeds.rename(active);
        break;
      case 'overview':
        this.page.toggleOverview();
        break;
      case 'next':
        this.#neighbour(1);
        break;
      case 'previous':
        this.#neighbour(-1);
        break;
      case 'search':
        void this.search();
        break;
      case 'help':
        void this.#help();
        break;
      case 'copy':
        void this.page.deeds.copy();
        break;
      case 'paste':
        void this.page.deeds.paste();
        break;
      default: {
        const info = this.page.terminals()[Number(command.slice(4)) - 1];
        if (info) this.page.activate(info.id);
      }
    }
  }

  #neighbour(by: number): void {
    const at = this.page.terminals().findIndex(({ id }) => id === this.page.active());
    const count = this.page.terminals().length;
    const next = this.page.terminals()[(at + by + count) % count];
    if (next) this.page.activate(next.id);
  }

  async search(): Promise<void> {
    const pane = this.page.pane();
    if (!pane) return;
    if (this.page.overview()) this.page.toggleOverview(false);
    if (!this.#search) {
      const part = await this.#fetched(import('./search.ts'));
      if (!part) return;
      const { SearchPanel } = part;
      this.#search ??= new SearchPanel(() => this.page.pane()?.focus());
      this.page.stage.append(this.#search.element);
    }
    this.#search.open(pane);
  }

  /** A part of the page that is fetched when first wanted. A newer server may not have it any more. */
  async #fetched<T>(part: Promise<T>): Promise<T | null> {
    try {
      return await part;
    } catch {
      this.page.notify(
        'warning',
        'This part of the page could not be fetched. The server may have a newer page.',
        { label: 'Reload', run: () => location.reload() },
        'fetch',
      );
      return null;
    }
  }

  async #help(): Promise<void> {
    const part = await this.#fetched(import('./help.ts'));
    await part?.showHelp(this.page.pane()?.attachment.hello?.keeper ?? '', this.page.settings().held);
    this.page.pane()?.focus();
  }

  async #about(id: string): Promise<void> {
    const part = await this.#fetched(import('./about.ts'));
    const attachment = this.page.pane()?.attachment;
    if (!part || !attachment) return;
    const { meta, hello } = attachment;
    const roundTrip = await attachment.roundTrip();
    const known = { id, meta, viewer: hello?.viewer ?? null, keeper: hello?.keeper ?? '', roundTrip };
    const rename = await part.showAbout('About this terminal', { ...known, now: Date.now() });
    this.page.pane()?.focus();
    if (rename) await this.page.deeds.rename(id);
  }

  async #settingsOpen(): Promise<void> {
    const part = await this.#fetched(import('./settings-dialog.ts'));
    await part?.showSettings(this.page.settings(), (settings) => this.page.changed(settings));
    this.page.pane()?.focus();
  }

  async #logins(): Promise<void> {
    const part = await this.#fetched(import('./logins.ts'));
    await part?.showLogins((text) => this.page.notify('warning', text));
    this.page.pane()?.focus();
  }

  #menu(): void {
    if (document.querySelector('.menu')) return;
    const id = this.page.active();
    const hint = (key: string) => chord(key, this.page.settings().held) ?? '';
    const watching = id ? this.page.attention.watching(id) : 'nothing';
    const toggle = (what: Watching) =>
      id && this.page.attention.watch(id, watching === what ? 'nothing' : what);
    openMenu(
      this.menuButton,
      [
        ...(id
          ? [
              { label: 'Rename…', hint: hint('R'), run: () => void this.page.deeds.rename(id) },
              { label: 'Paste', hint: 'Ctrl-Shift-V', run: () => void this.page.deeds.paste() },
              {
                label: 'Tell me when it gets active',
                checked: watching === 'active',
                run: () => toggle('active'),
              },
              {
                label: 'Tell me when it falls silent',
                checked: watching === 'silent',
                run: () => toggle('silent'),
              },
              { label: 'About it…', run: () => void this.#about(id) },
              { label: 'Save its text…', run: () => this.page.deeds.download(id) },
              { label: 'Rescue: reset a garbled screen', run: () => void this.page.deeds.reset(id) },
              ...(this.page.pane()?.foreignSize
                ? [{ label: 'Take over its size', run: () => this.page.pane()?.takeSize() }]
                : []),
              { label: 'Close…', hint: hint('W'), run: () => void this.page.deeds.close(id) },
              null,
            ]
          : []),
        ...(this.#may.some((right) => ADMIN.includes(right))
          ? [{ label: 'Administer this machine…', run: administer }]
          : []),
        { label: 'Settings…', run: () => void this.#settingsOpen() },
        { label: 'Help', hint: 'Shift-F1', run: () => void this.#help() },
        { label: 'Where am I logged in…', run: () => void this.#logins() },
        { label: 'Log out', run: () => void this.page.deeds.logout() },
      ],
      () => this.page.pane()?.focus(),
    );
  }
}

/** Goes to the admin page. */
function administer(): void {
  location.hash = 'admin';
  location.reload();
}
