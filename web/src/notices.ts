// Sentences for the person watching: in a corner, away from the cursor, gone by themselves unless they matter.
import { h, iconButton } from './dom.ts';
import { tidy } from './text.ts';

export type Level = 'info' | 'warning' | 'error';

/** How long a notice stays, in ms; errors stay until they are closed. */
const STAYS: Record<Level, number> = { info: 5000, warning: 12_000, error: 0 };
/** Most notices shown at once; older ones go first. */
const MOST = 4;

export interface NoticeAction {
  label: string;
  run(): void;
}

export class Notices {
  readonly element = h('div', {
    className: 'notices',
    attrs: { role: 'log', 'aria-live': 'polite', 'aria-label': 'Notices' },
  });
  /** The same sentence again only renews the one that is there. */
  readonly #shown = new Map<string, () => void>();
  /** Of those, the ones that are about the machine. */
  readonly #lasting = new Set<string>();

  /** Takes away what concerned whoever was there; what is about the machine stays until it is closed. */
  clear(): void {
    for (const [key, drop] of [...this.#shown]) if (!this.#lasting.has(key)) drop();
  }

  /** Shows what is wrong with the machine itself, whoever is there. */
  lasting(text: string): void {
    this.#lasting.add(text);
    this.show('error', text);
  }

  /** Shows a sentence, with at most one thing to do about it. `key` lets a later one replace it. */
  show(level: Level, text: string, action?: NoticeAction, key = text): void {
    this.#shown.get(key)?.();
    const remove = () => {
      clearTimeout(timer);
      item.remove();
      if (this.#shown.get(key) === remove) this.#shown.delete(key);
    };
    const item = h(
      'div',
      { className: `notice ${level}` },
      h('span', { textContent: tidy(text, 512) }),
      action &&
        h('button', {
          textContent: action.label,
          onclick: () => {
            remove();
            action.run();
          },
        }),
      iconButton('close', 'Dismiss', remove),
    );
    const stays = STAYS[level];
    const timer = stays ? setTimeout(remove, stays) : undefined;
    this.#shown.set(key, remove);
    this.element.append(item);
    const extra = this.#shown.size - MOST;
    [...this.#shown.values()].slice(0, Math.max(0, extra)).forEach((drop) => {
      drop();
    });
  }
}
