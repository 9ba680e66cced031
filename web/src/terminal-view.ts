// xterm.js as a viewer's glass: it paints, measures and reports keys; it decides nothing and answers nothing.
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal } from '@xterm/xterm';
import { clampSize, type Size } from './frames.ts';
import { type Paint, Painter } from './painter.ts';
import { silence } from './quiet.ts';
import { guardErase } from './repairs.ts';
import type { Settings } from './settings.ts';
import type { Theme } from './themes.ts';
import { lineHeightOf } from './type-size.ts';

/** Lines of scrollback the page keeps; searching further back asks the server. */
export const SCROLLBACK = 10_000;
/** The same on a kiosk's screen, whose machine is small and whose page stays for months. */
const KIOSK_SCROLLBACK = 2000;
/** Room at the right for the scroll bar, in CSS pixels. */
const SCROLL_BAR = 14;
/** Smallest and largest type used to fit somebody else's size, in CSS pixels. */
const FIT_MIN = 2;
const FIT_MAX = 40;
/** Most base64 taken from an OSC 52, in characters: a program's clipboard, not a file transfer. */
const CLIPBOARD_LIMIT = 1 << 20;

const FONTS =
  '"Cascadia Mono", "JetBrains Mono", "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace';

/** What the glass reports. */
export interface Reports {
  /** Typed or moused; `person` tells keys from the mouse and focus reports a program asked for. */
  typed(bytes: Uint8Array, person: boolean): void;
  /** The program put something on the clipboard (OSC 52). */
  clipboard(text: string): void;
  /** A link was clicked without Ctrl. */
  linkHint(): void;
  scrolled(): void;
}

const utf8 = new TextEncoder();

/** Focus and mouse reports: sent because a program asked, not because somebody types. */
const REPORT = /^(?:\x1b\[[IO]|\x1b\[<[\d;]+[Mm]|\x1b\[M[\s\S]{3})+$/;

export class TerminalView {
  readonly term: Terminal;
  readonly #painter: Painter;
  #base: number;
  #opened = false;

  constructor(
    readonly host: HTMLElement,
    private readonly reports: Reports,
    settings: Settings,
    theme: Theme,
    private readonly kiosk: boolean,
  ) {
    this.#base = settings.fontSize;
    this.term = new Terminal({
      allowProposedApi: true,
      scrollback: kiosk ? KIOSK_SCROLLBACK : SCROLLBACK,
      fontFamily: FONTS,
      fontSize: settings.fontSize,
      lineHeight: lineHeightOf(FONTS, settings.fontSize).factor,
      theme: theme.terminal,
      minimumContrastRatio: theme.contrast,
      screenReaderMode: settings.screenReader,
      cursorBlink: false,
      cursorInactiveStyle: 'outline',
      macOptionIsMeta: true,
      rightClickSelectsWord: false,
      logLevel: 'off',
      linkHandler: kiosk ? null : { activate: (event, uri) => this.#follow(event, uri) },
    });
    this.term.loadAddon(new Unicode11Addon());
    this.term.unicode.activeVersion = '11';
    silence(this.term.parser);
    guardErase(this.term);
    this.term.parser.registerOscHandler(52, (data) => this.#osc52(data));
    if (!kiosk) this.term.loadAddon(new WebLinksAddon((event, uri) => this.#follow(event, uri)));
    this.term.onData((data) => {
      const report = REPORT.test(data);
      if (!(report && this.#painter.repainting)) this.reports.typed(utf8.encode(data), !report);
    });
    this.term.onBinary((data) =>
      this.reports.typed(
        Uint8Array.from(data, (char) => char.charCodeAt(0)),
        false,
      ),
    );
    this.term.onScroll(() => this.reports.scrolled());
    this.#painter = new Painter(this.term);
  }

  /** Shows it. The host must be in the page. */
  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    this.term.open(this.host);
  }

  paint(paint: Paint, parsed: () => void): void {
    this.#painter.add(paint, parsed);
  }

  focus(): void {
    this.term.focus();
  }

  dress(settings: Settings, theme: Theme): void {
    this.term.options.theme = theme.terminal;
    this.term.options.minimumContrastRatio = theme.contrast;
    this.term.options.screenReaderMode = settings.screenReader;
    this.#base = settings.fontSize;
  }

  /** How many cells this glass has room for at the chosen type size; `null` while it isn't laid out. */
  room(): Size | null {
    const cell = this.#cell();
    if (!cell) return null;
    const { width, height } = this.#space();
    if (width < 20 || height < 20) return null;
    const size = this.term.options.fontSize ?? this.#base;
    const higher = lineHeightOf(FONTS, this.#base).px / lineHeightOf(FONTS, size).px;
    return clampSize({
      cols: Math.max(2, Math.floor((width * size) / (cell.width * this.#base))),
      rows: Math.max(2, Math.floor(height / (cell.height * higher))),
    });
  }

  /**
   * Chooses the type: the person's own when this viewer's screen decides the size, else what makes somebody
   * else's size fit. Type instead of a CSS transform, because selecting with the mouse stays exact.
   */
  fit(own: boolean): void {
    if (own) {
      this.#font(this.#base);
      return;
    }
    const { width, height } = this.#space();
    if (width < 20 || height < 20) return;
    // Cells are whole device pixels high, so the first guess may be a little too large.
    for (let tries = 0; tries < 4; tries++) {
      const size = this.term.options.fontSize ?? this.#base;
      const cell = this.#cell();
      if (!cell) return;
      const scale = Math.min(width / (cell.width * this.term.cols), height / (cell.height * this.term.rows));
      if (tries > 0 && scale >= 1) return;
      const wanted = Math.floor(size * scale * 4 - (tries > 0 ? 1 : 0)) / 4;
      this.#font(Math.min(FIT_MAX, Math.max(FIT_MIN, wanted)));
    }
  }

  /** Width and height of the painted cells, in CSS pixels. */
  extent(): { width: number; height: number } {
    const screen = this.host.querySelector<HTMLElement>('.xterm-screen');
    return { width: screen?.offsetWidth ?? 0, height: screen?.offsetHeight ?? 0 };
  }

  get atBottom(): boolean {
    const { viewportY, baseY } = this.term.buffer.active;
    return viewportY >= baseY;
  }

  /** The selected text as it should be pasted elsewhere: no blanks at line ends. */
  selection(): string {
    return this.term.getSelection().replace(/[ \u00a0]+$/gm, '');
  }

  dispose(): void {
    this.term.dispose();
  }

  #font(size: number): void {
    if (this.term.options.fontSize === size) return;
    this.term.options.lineHeight = lineHeightOf(FONTS, size).factor;
    this.term.options.fontSize = size;
  }

  #space(): { width: number; height: number } {
    const style = getComputedStyle(this.host);
    const pad = (side: 'Left' | 'Right' | 'Top' | 'Bottom') =>
      Number.parseFloat(style[`padding${side}`]) || 0;
    const bar = this.kiosk ? 0 : SCROLL_BAR;
    return {
      width: this.host.clientWidth - pad('Left') - pad('Right') - bar,
      height: this.host.clientHeight - pad('Top') - pad('Bottom'),
    };
  }

  #cell(): { width: number; height: number } | null {
    const { width, height } = this.extent();
    if (!width || !height) return null;
    return { width: width / this.term.cols, height: height / this.term.rows };
  }

  #follow(event: MouseEvent, uri: string): void {
    if (!/^https?:\/\//i.test(uri)) return;
    // A plain click selects or focuses; following what a program printed should be meant.
    const meant = event.ctrlKey || event.metaKey || matchMedia('(pointer: coarse)').matches;
    if (meant) window.open(uri, '_blank', 'noopener,noreferrer');
    else this.reports.linkHint();
  }

  #osc52(data: string): boolean {
    // "c;base64", and tmux leaves the target out: ";base64". A "?" asks to read the clipboard: never.
    const payload = data.slice(data.indexOf(';') + 1);
    if (payload === '?' || payload.length > CLIPBOARD_LIMIT || !data.includes(';')) return true;
    try {
      const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      if (text) this.reports.clipboard(text);
    } catch {
      // Not base64 or not text: as if it hadn't been sent.
    }
    return true;
  }
}
