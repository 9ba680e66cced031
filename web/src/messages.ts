// What people say to whoever watches: over everything on the screen, until it was read. The program notices nothing.
import { h } from './dom.ts';
import type { Level } from './frames.ts';
import { tidy } from './text.ts';

/** How long a message that nobody has to acknowledge stays, in ms; errors stay until they are closed. */
const STAYS: Record<Level, number> = { info: 60_000, warning: 180_000, error: 0 };
/** Most messages shown at once; older ones that nobody has to acknowledge go first. */
const MOST = 4;
/** As many lines and characters as the server lets through (`base::MessageText`). */
const MAX_LINES = 12;
const MAX_CHARS = 512;

/** A message as a terminal's keeper passes it on. */
export interface Message {
  id: number;
  from: string;
  level: Level;
  text: string;
  requireAck: boolean;
}

interface Shown {
  card: HTMLElement;
  message: Message;
  /** Everybody to be told when it was read: one message may come over several terminals. */
  tell: Set<(id: number) => Promise<unknown>>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Messages {
  readonly element = h('div', { className: 'messages', attrs: { role: 'region', 'aria-label': 'Messages' } });
  readonly #shown = new Map<number, Shown>();

  constructor(private readonly closed: () => void) {
    addEventListener(
      'keydown',
      (event) => {
        const newest = [...this.#shown.values()].at(-1);
        if (!newest || event.key !== 'Enter' || !event.ctrlKey || !event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        void this.#read(newest);
      },
      { capture: true },
    );
  }

  /** Shows a message; `tell` is called with its number once the person has read it. */
  show(message: Message, tell: (id: number) => Promise<unknown>): void {
    const known = this.#shown.get(message.id);
    if (known) {
      known.tell.add(tell);
      return;
    }
    const problem = h('p', { className: 'problem', hidden: true });
    const button = h(
      'button',
      {
        className: 'main',
        title: 'Ctrl-Alt-Enter',
        onclick: () => void this.#read(shown),
      },
      message.requireAck ? 'I have read this' : 'Close',
      h('kbd', { textContent: 'Ctrl-Alt-Enter' }),
    );
    const card = h(
      'section',
      {
        className: `message ${message.level}`,
        attrs: { role: message.requireAck ? 'alertdialog' : 'alert', 'data-message': String(message.id) },
      },
      h('h2', { textContent: `Message from ${tidy(message.from, 128) || 'somebody'}` }),
      h('p', { className: 'text', textContent: lines(message.text) }),
      problem,
      button,
    );
    const stays = message.requireAck ? 0 : STAYS[message.level];
    const timer = stays ? setTimeout(() => this.#drop(shown), stays) : undefined;
    const shown: Shown = { card, message, tell: new Set([tell]), timer };
    this.#shown.set(message.id, shown);
    this.element.append(card);
    const extra = [...this.#shown.values()].filter((other) => !other.message.requireAck);
    for (const old of extra.slice(0, Math.max(0, this.#shown.size - MOST))) this.#drop(old);
  }

  /** Takes all of them away, read or not: whom they were for has gone. */
  clear(): void {
    for (const shown of [...this.#shown.values()]) this.#drop(shown);
  }

  async #read(shown: Shown): Promise<void> {
    if (shown.message.requireAck) {
      const told = await Promise.allSettled([...shown.tell].map((tell) => tell(shown.message.id)));
      if (!told.some(({ status }) => status === 'fulfilled')) {
        const problem = shown.card.querySelector<HTMLElement>('.problem');
        if (problem) {
          problem.textContent = 'The server could not be told. Try again when it is back.';
          problem.hidden = false;
        }
        return;
      }
    }
    this.#drop(shown);
  }

  #drop(shown: Shown): void {
    clearTimeout(shown.timer);
    shown.card.remove();
    this.#shown.delete(shown.message.id);
    this.closed();
  }
}

/** The text, its lines kept, everything else that could deceive taken out. */
export function lines(text: string): string {
  const all = text.split('\n').map((line) => tidy(line, MAX_CHARS));
  return [...all.slice(0, MAX_LINES).join('\n')].slice(0, MAX_CHARS).join('');
}
