// What a person does with terminals: open, close, name, copy, paste, save, rescue. Each failure is said.
import * as api from './api.ts';
import * as clipboard from './clipboard.ts';
import { ask, askText } from './dialogs.ts';
import { h } from './dom.ts';
import type { Level, NoticeAction } from './notices.ts';
import type { Pane } from './pane.ts';
import { called, MAX_NAME, tidy } from './text.ts';

/** The page around. */
export interface Stage {
  info(id: string): api.TerminalInfo | undefined;
  /** The pane of a terminal, if it was shown. */
  pane(id: string): Pane | undefined;
  /** The pane in front. */
  front(): Pane | undefined;
  /** What its tab says. */
  label(id: string): string;
  /** A terminal was opened by this page. */
  opened(id: string, terminals: api.TerminalInfo[]): void;
  /** A terminal was closed by this page. */
  closed(id: string): void;
  notify(level: Level, text: string, action?: NoticeAction, key?: string): void;
  /** Asks who it is; with `then`, somebody who is logged in and has to say it again for that. */
  loggedOut(then?: () => void): void;
}

export class Deeds {
  #opening = false;

  constructor(private readonly stage: Stage) {}

  /**
   * Opens a terminal: of what is offered here, the person says which, unless there is only one thing; with `itself`,
   * nobody has asked for one, and what opens by itself does.
   */
  async open(itself = false): Promise<void> {
    if (this.#opening) return;
    this.#opening = true;
    try {
      const program = await this.#which(itself);
      if (program === null) return;
      const room = this.stage.front()?.view.room();
      const id = await api.open({ ...(program && { program }), ...(room && { size: room }) });
      this.stage.opened(id, await api.list());
    } catch (error) {
      const refused = error instanceof api.ApiError && error.status === 401;
      // Logged in all the same: what opens terminals as this user's account is gone since the server
      // was started again, and only a password brings it back.
      const known = refused && (await api.loggedIn().catch(() => false));
      if (known) this.stage.loggedOut(() => void this.open());
      else this.#failed('open a terminal', error);
    } finally {
      this.#opening = false;
    }
  }

  /** The name of what to open, "" for what opens by itself; `null` for nothing. */
  async #which(itself: boolean): Promise<string | null> {
    const offers = await api.offers();
    const shell = offers.shell && offers.default === null;
    if (itself && (shell || offers.default !== null)) return '';
    if (offers.commands.length + (shell ? 1 : 0) <= 1) return offers.commands[0]?.name ?? '';
    const { choose } = await import('./launcher.ts');
    const chosen = await choose(offers);
    this.stage.front()?.focus();
    return chosen;
  }

  /** Closes a terminal, after asking when its program runs. */
  async close(id: string): Promise<void> {
    const info = this.stage.info(id);
    if (!info) return;
    const pane = this.stage.pane(id);
    const live = pane?.attachment.live ? pane : undefined;
    const running = live ? live.exit === null : info.exit_status === null && info.exit_signal === null;
    const name = this.stage.label(id);
    if (running && !(await this.#sure(name, (live?.attachment.meta.viewers?.length ?? info.viewers) - 1)))
      return;
    try {
      await api.close(id);
      this.stage.closed(id);
    } catch (error) {
      this.#failed(`close ${name}`, error);
    }
  }

  async #sure(name: string, others: number): Promise<boolean> {
    const watchers = others === 1 ? '1 more viewer is' : `${others} more viewers are`;
    const warning = `Its program and everything it started will end.${others > 0 ? ` ${watchers} watching it.` : ''}`;
    const sure = await ask(
      `Close ${name}?`,
      [h('p', { textContent: warning })],
      [{ label: 'Close it', value: true, danger: true }],
    );
    this.stage.front()?.focus();
    return sure === true;
  }

  async rename(id: string): Promise<void> {
    const info = this.stage.info(id);
    if (!info) return;
    const name = await askText(
      'Name this terminal',
      'Name',
      info.name ?? '',
      MAX_NAME,
      'A name beats the program’s own title. Leave it empty to show the title again.',
    );
    this.stage.front()?.focus();
    if (name === null) return;
    try {
      await api.rename(id, tidy(name, MAX_NAME) || null);
    } catch (error) {
      this.#failed('rename it', error);
    }
  }

  /** Copies what is selected. */
  async copy(): Promise<void> {
    const pane = this.stage.front();
    const text = pane?.view.selection();
    if (!pane || !text) return;
    if (await clipboard.copy(text)) pane.view.term.clearSelection();
    else this.#cannotCopy();
  }

  /** A program wants text on the clipboard: the one in front may put it there, others ask. */
  offerCopy(name: string, text: string, front: boolean): void {
    const what = `${[...text].length} characters`;
    const { stage } = this;
    const copied = () =>
      stage.notify('info', `A program put ${what} on the clipboard.`, undefined, 'clipboard');
    const run = () => void clipboard.copy(text).then((done) => (done ? copied() : this.#cannotCopy()));
    const offer = () =>
      stage.notify(
        'warning',
        `${name} wants to put ${what} on the clipboard.`,
        { label: 'Copy', run },
        'clipboard',
      );
    if (!front || !document.hasFocus()) offer();
    else void clipboard.copy(text).then((done) => (done ? copied() : offer()));
  }

  async paste(): Promise<void> {
    const text = await clipboard.read();
    if (text !== null) await this.stage.front()?.paste(text);
    else this.stage.notify('info', 'The browser lets only its own key paste here: Ctrl-Shift-V.');
    this.stage.front()?.focus();
  }

  /** Saves the whole text; the server names the file. */
  download(id: string): void {
    const link = h('a', { href: api.textAddress(id), download: '' });
    document.body.append(link);
    link.click();
    link.remove();
  }

  /** Rescues a terminal left in a bad state. */
  async reset(id: string): Promise<void> {
    try {
      await api.reset(id);
    } catch (error) {
      this.#failed(`reset ${this.stage.label(id)}`, error);
    }
  }

  async logout(): Promise<void> {
    try {
      await api.logout();
      this.stage.loggedOut();
    } catch (error) {
      this.#failed('log out', error);
    }
  }

  #cannotCopy(): void {
    this.stage.notify(
      'error',
      'The browser did not let this page copy. Allow the clipboard for this address.',
      undefined,
      'clipboard',
    );
  }

  #failed(what: string, error: unknown): void {
    if (error instanceof api.ApiError && error.status === 401) {
      this.stage.loggedOut();
      return;
    }
    const why = error instanceof Error ? error.message : called({ title: String(error) });
    this.stage.notify('error', `Could not ${what}: ${why}.`, undefined, what);
  }
}
