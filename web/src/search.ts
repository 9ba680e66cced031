// Search through the whole scrollback: the server looks, the page shows the lines and goes to them.
import { h, iconButton } from './dom.ts';
import type { Pane } from './pane.ts';
import { SCROLLBACK } from './terminal-view.ts';
import { tidy } from './text.ts';

/** A line the server found (`base::Match`). */
interface Match {
  line: number;
  text: string;
  start: number;
  length: number;
}

interface Found {
  matches: Match[];
  more: boolean;
}

/** Matches asked for at once. */
const PAGE = 100;
/** After the last key in the field, before asking, in ms. */
const PAUSE = 150;
/** How long to wait for a repaint with more history, in ms. */
const REPAINT_LIMIT = 5000;

export class SearchPanel {
  readonly element: HTMLElement;
  readonly #input = h('input', {
    type: 'search',
    placeholder: 'Search the whole scrollback',
    autocomplete: 'off',
    spellcheck: false,
    attrs: { 'aria-label': 'Search for', autocapitalize: 'off' },
  });
  readonly #regex = h('input', { type: 'checkbox' });
  readonly #status = h('p', { className: 'hint', attrs: { role: 'status' } });
  readonly #list = h('ol', { className: 'matches' });
  readonly #more = h('button', { textContent: 'Older', hidden: true, onclick: () => void this.#look(true) });
  #pane: Pane | null = null;
  #matches: Match[] = [];
  #at = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(private readonly closed: () => void) {
    this.element = h(
      'aside',
      {
        className: 'search',
        hidden: true,
        attrs: { role: 'search', 'aria-label': 'Search in the scrollback' },
      },
      h(
        'div',
        { className: 'field' },
        this.#input,
        h('label', { title: 'Regular expression' }, this.#regex, '.*'),
        iconButton('up', 'Older match (Enter)', () => this.#step(1)),
        iconButton('down', 'Newer match (Shift-Enter)', () => this.#step(-1)),
        iconButton('close', 'Close the search (Esc)', () => this.close()),
      ),
      this.#status,
      this.#list,
      this.#more,
    );
    this.#input.oninput = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#look(false), PAUSE);
    };
    this.#regex.onchange = () => void this.#look(false);
    this.element.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') this.close();
      if (event.key === 'Enter' && event.target === this.#input) {
        event.preventDefault();
        this.#step(event.shiftKey ? -1 : 1);
      }
    });
  }

  open(pane: Pane): void {
    if (this.#pane !== pane) this.#clear();
    this.#pane = pane;
    this.element.hidden = false;
    const selected = pane.view.selection();
    if (selected && !selected.includes('\n')) this.#input.value = selected;
    this.#input.focus();
    this.#input.select();
    if (this.#input.value) void this.#look(false);
  }

  close(): void {
    this.element.hidden = true;
    this.#pane?.view.term.clearSelection();
    this.closed();
  }

  #clear(): void {
    this.#matches = [];
    this.#at = -1;
    this.#list.replaceChildren();
    this.#more.hidden = true;
    this.#status.textContent = '';
  }

  async #look(older: boolean): Promise<void> {
    const pane = this.#pane;
    const text = this.#input.value;
    if (!older) this.#clear();
    if (!pane || !text) return;
    const asked = ++this.#asked;
    const before = older ? this.#matches.at(-1)?.line : undefined;
    let found: Found;
    try {
      found = await pane.attachment.ask<Found>({
        op: 'search',
        text,
        regex: this.#regex.checked,
        limit: PAGE,
        ...(before === undefined ? {} : { before }),
      });
    } catch (error) {
      if (asked === this.#asked)
        this.#status.textContent = `Can't search: ${tidy(String((error as Error).message))}`;
      return;
    }
    if (asked !== this.#asked) return;
    for (const match of found.matches) {
      const index = this.#matches.push(match) - 1;
      this.#list.append(this.#row(match, index));
    }
    this.#more.hidden = !found.more;
    const count = this.#matches.length;
    this.#status.textContent =
      count === 0
        ? 'Nothing found.'
        : `${count}${found.more ? ' newest' : ''} ${count === 1 ? 'line' : 'lines'}, newest first`;
    if (!older && count > 0) void this.#go(0);
  }

  #row(match: Match, index: number): HTMLLIElement {
    const chars = [...match.text];
    const from = Math.max(0, match.start - 24);
    const part = (start: number, end: number) => chars.slice(start, end).join('');
    const end = match.start + match.length;
    return h(
      'li',
      {},
      h(
        'button',
        { onclick: () => void this.#go(index) },
        from > 0 ? '…' : '',
        part(from, match.start),
        h('mark', { textContent: part(match.start, end) }),
        part(end, end + 120),
      ),
    );
  }

  #step(by: number): void {
    if (this.#matches.length === 0) return;
    const next = this.#at + by;
    if (next >= this.#matches.length && !this.#more.hidden) {
      void this.#look(true).then(() => this.#go(next));
    } else {
      void this.#go((next + this.#matches.length) % this.#matches.length);
    }
  }

  async #go(index: number): Promise<void> {
    const pane = this.#pane;
    const match = this.#matches[index];
    if (!pane || !match) return;
    this.#at = index;
    [...this.#list.children].forEach((row, at) => {
      row.classList.toggle('current', at === index);
      if (at === index) row.scrollIntoView({ block: 'nearest' });
    });
    if (this.#show(pane, match, index)) return;
    // Further back than what the page holds: have it painted, then look again.
    const held = pane.view.term.buffer.active.baseY;
    const wanted = Math.min(SCROLLBACK, pane.attachment.meta.scrollback ?? SCROLLBACK);
    if (held < wanted) {
      this.#status.textContent = 'Loading older lines…';
      await this.#load(pane, Math.max(wanted, 2000));
      if (this.#show(pane, match, index)) {
        this.#status.textContent = '';
        return;
      }
    }
    this.#status.textContent = 'That line is further back than this page holds; its text is in the list.';
  }

  async #load(pane: Pane, history: number): Promise<void> {
    const painted = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, REPAINT_LIMIT);
      pane.onRepainted(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    await pane.attachment.ask({ op: 'repaint', history }).catch(() => {});
    await painted;
  }

  /** Scrolls to the line and marks it; `false` when the page doesn't hold it. */
  #show(pane: Pane, match: Match, index: number): boolean {
    const { term } = pane.view;
    const buffer = term.buffer.active;
    // The page doesn't count lines as the server does. Among equal lines, the one as far from the end is meant.
    const same = this.#matches.slice(0, index).filter(({ text }) => text === match.text).length;
    let seen = 0;
    for (let y = buffer.length - 1; y >= 0; y--) {
      const line = buffer.getLine(y);
      if (!line || line.isWrapped) continue;
      const first = line.translateToString(true);
      // A long line the terminal wrapped is one line to the server: join it.
      let whole = first;
      for (let next = y + 1; buffer.getLine(next)?.isWrapped; next++) {
        whole = whole.padEnd(term.cols) + (buffer.getLine(next)?.translateToString(true) ?? '');
      }
      if (!equal(whole, match.text) && !equal(first, match.text)) continue;
      if (seen++ < same) continue;
      const before = [...match.text].slice(0, match.start).join('');
      const cells = width(before);
      const row = y + Math.floor(cells / term.cols);
      term.scrollToLine(Math.max(0, row - Math.floor(term.rows / 2)));
      term.select(
        cells % term.cols,
        row,
        width([...match.text].slice(match.start, match.start + match.length).join('')),
      );
      return true;
    }
    return false;
  }
}

function equal(shown: string, found: string): boolean {
  return shown.trimEnd() === found.trimEnd();
}

/** Cells a text takes, near enough to place a mark: wide East Asian characters and emoji take two. */
function width(text: string): number {
  let cells = 0;
  for (const char of text) {
    if (/\p{Mn}/u.test(char)) continue;
    cells +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return cells;
}
