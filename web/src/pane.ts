// One terminal on the page: the glass, the attachment behind it, and the line that says honestly how it stands.
import { Attachment, type Watcher } from './attachment.ts';
import { ask } from './dialogs.ts';
import { h, icon } from './dom.ts';
import { type Attach, type Mode, type Notice, type Size, WINDOW } from './frames.ts';
import { StateLine } from './line.ts';
import type { Message } from './messages.ts';
import type { Paint } from './painter.ts';
import { bytesOf, clean, MAX_PASTE, oneLine, risky } from './paste.ts';
import type { Settings } from './settings.ts';
import { TerminalView } from './terminal-view.ts';
import { tidy } from './text.ts';
import type { Theme } from './themes.ts';

/** Lines of scrollback in a full repaint. */
const HISTORY = 1000;
/** While a window is dragged larger, the program hears of its size at most this often, in ms. */
const RESIZE_EVERY = 80;
/** Being behind for less than this, in ms, isn't worth a word: a fast flood is behind now and then. */
const BEHIND_AFTER = 1000;

/** The page around a pane. */
export interface PageAround {
  readonly kiosk: boolean;
  /** What panes are for; typing unless said otherwise. */
  readonly mode?: Mode;
  settings(): Settings;
  theme(): Theme;
  notify(level: Notice['level'], text: string, action?: { label: string; run(): void }, key?: string): void;
  /** Another person says something to whoever watches; `tell` says that it was read. */
  message(message: Message, tell: (id: number) => Promise<unknown>): void;
  /** The pane's link or meta changed. */
  changed(pane: Pane): void;
  /** The program wrote something. */
  output(pane: Pane): void;
  /** The program put text on the clipboard. */
  clipboard(pane: Pane, text: string): void;
  /** The person wants this terminal closed. */
  close(pane: Pane): void;
  /** Sticky keys of the key bar act on what is typed. */
  typed(bytes: Uint8Array): Uint8Array;
}

export class Pane implements Watcher {
  readonly element: HTMLElement;
  readonly view: TerminalView;
  readonly attachment: Attachment;
  readonly #line = new StateLine();
  readonly #newer: HTMLButtonElement;
  readonly #host = h('div', { className: 'glass' });
  readonly #mode: Mode;
  #shown = false;
  #preview = false;
  #sent: Size | null = null;
  #resizeTimer: ReturnType<typeof setTimeout> | null = null;
  /** Keys typed while nothing could be sent. */
  #dropped = 0;
  #painted = false;
  #onRepainted: (() => void) | null = null;
  #behindTimer: ReturnType<typeof setTimeout> | null = null;
  /** Whether the glass has been behind for long enough to be said. */
  behind = false;

  constructor(
    readonly id: string,
    private readonly page: PageAround,
  ) {
    this.#mode = page.mode ?? 'type';
    this.#newer = h(
      'button',
      {
        className: 'newer',
        hidden: true,
        title: 'Back to the newest output (or press any key)',
        onclick: () => {
          this.view.term.scrollToBottom();
          this.view.focus();
        },
      },
      icon('down'),
      'Newest output',
    );
    this.element = h(
      'section',
      { className: 'pane', id: `pane-${id}`, hidden: true, attrs: { role: 'tabpanel', 'data-terminal': id } },
      this.#host,
      this.#newer,
      this.#line.element,
    );
    this.view = new TerminalView(
      this.#host,
      {
        typed: (bytes, person) => this.#typed(bytes, person),
        clipboard: (text) => page.clipboard(this, text),
        linkHint: () => page.notify('info', 'Ctrl-click opens the link.', undefined, 'link'),
        scrolled: () => this.#scrolled(),
      },
      page.settings(),
      page.theme(),
      page.kiosk,
    );
    this.attachment = new Attachment(id, this);
    this.#host.addEventListener(
      'paste',
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        void this.paste(event.clipboardData?.getData('text/plain') ?? '');
      },
      { capture: true },
    );
    new ResizeObserver(() => this.layout()).observe(this.#host);
  }

  get exit() {
    return this.attachment.meta.exit ?? null;
  }

  /** Whether the first screen is there. */
  get painted(): boolean {
    return this.#painted;
  }

  /** Shows the pane, alone or as a preview in the overview; attaches when it is shown first. */
  show(preview: boolean): void {
    this.element.hidden = false;
    this.#preview = preview;
    this.element.classList.toggle('preview', preview);
    if (!this.#shown) {
      this.#shown = true;
      // Asking comes first, because it takes longer than opening the glass and can go on meanwhile.
      this.attachment.start();
      this.view.open();
    }
    if (!preview) this.#host.style.removeProperty('transform');
    this.layout();
    this.#scrolled();
  }

  hide(): void {
    this.element.hidden = true;
  }

  focus(): void {
    this.view.focus();
  }

  dispose(): void {
    this.#watchBehind(false);
    this.attachment.stop();
    this.view.dispose();
    this.element.remove();
  }

  /** Calls back once, after the next repaint has been parsed. */
  onRepainted(then: () => void): void {
    this.#onRepainted = then;
  }

  /** Takes changed settings. */
  dress(): void {
    this.view.dress(this.page.settings(), this.page.theme());
    this.layout();
  }

  /** Makes the glass fit its place, or asks for the size that does. */
  layout(): void {
    if (this.element.hidden || !this.#shown) return;
    if (this.#preview) {
      this.#scale();
      return;
    }
    const { ownsSize } = this.attachment;
    if (ownsSize) this.view.fit(true);
    const room = this.view.room();
    if (!room) return;
    if (!ownsSize) this.view.fit(this.#sized(room));
    this.element.classList.toggle('foreign', !this.page.kiosk && this.foreignSize !== null);
    if (room.cols === this.#sent?.cols && room.rows === this.#sent.rows) return;
    if (this.#resizeTimer !== null) return;
    this.#resizeTimer = setTimeout(() => {
      this.#resizeTimer = null;
      const latest = this.element.hidden ? null : this.view.room();
      if (!latest || !this.attachment.live) return;
      this.#sent = latest;
      this.attachment.resize(latest);
    }, RESIZE_EVERY);
  }

  /** Makes this viewer's screen decide the size. */
  takeSize(): void {
    this.view.fit(true);
    const room = this.view.room();
    if (!room) return;
    this.#sent = room;
    this.attachment.takeSize(room);
  }

  /** Who decides the size, when it is somebody else and it shows. */
  get foreignSize(): string | null {
    const { meta, ownsSize, live } = this.attachment;
    if (!live || ownsSize || meta.size_owner === null || meta.size_owner === undefined) return null;
    const room = this.view.room();
    if (!room || this.#sized(room)) return null;
    const owner = meta.viewers?.find(({ viewer }) => viewer === meta.size_owner);
    if (owner?.kiosk) return 'the kiosk';
    const label = tidy(owner?.label ?? '', 40);
    // The server's word for a page like this one.
    return label === 'browser' ? 'another browser' : label || 'another viewer';
  }

  /** Types a paste, after asking when it could run by itself. */
  async paste(raw: string): Promise<void> {
    if (!raw) return;
    if (raw.length > MAX_PASTE) {
      this.page.notify(
        'warning',
        'That is too much to paste (over 4 million characters). Copy it as a file instead.',
      );
      return;
    }
    let paste = clean(raw);
    const bracketed = () => this.view.term.modes.bracketedPasteMode;
    if (risky(paste, bracketed())) {
      const shown = paste.text.length > 2000 ? `${paste.text.slice(0, 2000)}…` : paste.text;
      const how = await ask(
        paste.lines > 1 ? `Paste ${paste.lines} lines?` : 'Paste a line with its line end?',
        [
          h('p', {
            textContent:
              'The program does not know a paste from typing: each line end may run what is before it at once.',
          }),
          h('pre', { className: 'pasted', textContent: shown, tabIndex: 0 }),
        ],
        [
          { label: 'Paste', value: 'paste' },
          { label: 'Paste on one line', value: 'line' },
        ],
        { wide: true },
      );
      this.view.focus();
      if (how === null) return;
      if (how === 'line') paste = oneLine(paste);
    }
    if (this.exit !== null || !this.attachment.type(bytesOf(paste, bracketed()))) {
      this.page.notify('warning', 'Nothing was pasted: the terminal does not take input now.');
      return;
    }
    this.view.term.scrollToBottom();
    if (paste.stripped) this.page.notify('info', 'Control characters were left out of the paste.');
  }

  /** Types bytes as a person does: what can't be sent now is dropped, and that is shown. */
  type(bytes: Uint8Array): void {
    this.#typed(bytes, true);
  }

  attach(): Attach {
    const room = this.#preview ? null : this.view.room();
    this.#sent = room;
    return {
      mode: this.#mode,
      history: HISTORY,
      window: WINDOW,
      kiosk: this.page.kiosk,
      ...(this.page.kiosk ? { counts_down: true } : {}),
      ...(room ? { size: room } : {}),
    };
  }

  paint(paint: Paint, parsed: () => void): void {
    this.view.paint(paint, () => {
      parsed();
      if (paint.type === 'repaint') {
        if (!this.#painted) {
          this.#painted = true;
          performance.mark('gatepost:interactive');
        }
        this.layout();
        this.page.changed(this);
        this.#onRepainted?.();
        this.#onRepainted = null;
      }
    });
    if (paint.type === 'output' || paint.keep) this.page.output(this);
  }

  changed(bells: number): void {
    if (bells > 0) this.#bell();
    const { live } = this.attachment;
    this.#watchBehind(live && this.attachment.meta.behind === true);
    this.element.classList.toggle('dead', this.#painted && !live);
    if (live && this.#dropped > 0) {
      const keys =
        this.#dropped === 1
          ? '1 key typed while offline was'
          : `${this.#dropped} keys typed while offline were`;
      this.page.notify('warning', `${keys} not sent.`, undefined, `dropped-${this.id}`);
      this.#dropped = 0;
    }
    this.#say();
    if (live) this.layout();
    this.page.changed(this);
  }

  notice({ level, text, message }: Notice): void {
    if (!message) this.page.notify(level, text);
    else {
      const { id, from, require_ack: requireAck } = message;
      this.page.message({ id, from, level, text, requireAck }, this.#acknowledge);
    }
  }

  readonly #acknowledge = (message: number): Promise<unknown> =>
    this.attachment.ask({ op: 'acknowledge', message });

  #watchBehind(behind: boolean): void {
    if (behind === (this.behind || this.#behindTimer !== null)) return;
    if (this.#behindTimer !== null) clearTimeout(this.#behindTimer);
    this.#behindTimer = null;
    this.behind = false;
    if (!behind) return;
    this.#behindTimer = setTimeout(() => {
      this.#behindTimer = null;
      this.behind = true;
      this.#say();
      this.page.changed(this);
    }, BEHIND_AFTER);
  }

  #sized(room: Size): boolean {
    const { cols, rows } = this.view.term;
    return cols === room.cols && rows === room.rows;
  }

  /** In the overview the glass is scaled as a picture: nothing in it is clicked. */
  #scale(): void {
    this.view.fit(true);
    const { width, height } = this.view.extent();
    const { clientWidth, clientHeight } = this.element;
    if (!width || !height) return;
    const scale = Math.min((clientWidth - 16) / width, (clientHeight - 44) / height, 1);
    this.#host.style.transform = `scale(${scale})`;
  }

  #typed(bytes: Uint8Array, person: boolean): void {
    if (this.#mode === 'view') {
      if (person) this.page.notify('info', 'You only watch this terminal.', undefined, 'watch');
      return;
    }
    if (this.attachment.live && this.exit !== null) {
      // Enter, and nothing else, starts it again: a stray key must not.
      if (person && bytes.length === 1 && bytes[0] === 13) this.attachment.restart();
      return;
    }
    if (this.attachment.type(person ? this.page.typed(bytes) : bytes) || !person) return;
    this.#dropped += [...new TextDecoder().decode(bytes)].length;
    this.#say();
  }

  #scrolled(): void {
    this.#newer.hidden = this.view.atBottom || this.#preview;
  }

  #bell(): void {
    if (!this.page.settings().flash) return;
    this.element.classList.remove('bell');
    // Reading a size makes the browser notice that the class was gone, so the flash starts anew.
    void this.element.offsetWidth;
    this.element.classList.add('bell');
  }

  #say(): void {
    const { cursorY } = this.view.term.buffer.active;
    this.#line.show(
      {
        link: this.attachment.link,
        meta: this.attachment.meta,
        behind: this.behind,
        dropped: this.#dropped,
        low: cursorY >= this.view.term.rows - 3,
      },
      {
        restart: () => this.#again(),
        close: this.page.kiosk ? null : () => this.page.close(this),
        resume: () => this.#resume(),
      },
    );
  }

  #again(): void {
    this.attachment.restart();
    this.view.focus();
  }

  #resume(): void {
    this.attachment.type(new Uint8Array([0x11]));
    this.view.focus();
  }
}
