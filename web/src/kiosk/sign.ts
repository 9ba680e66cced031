// What is out of the ordinary with the machine and nobody can close: a sign on its own screen while it lasts.
import { h } from '../dom.ts';
import type { Teller } from './told.ts';

const UNLOCKED = 'Unlocked for maintenance: what is changed is gone when this machine is locked or restarts';

/** The sign, and when it hangs. */
export class Sign {
  readonly #element = h('div', { className: 'sign', attrs: { role: 'status' } });

  constructor(root: HTMLElement, teller: Teller) {
    root.append(this.#element);
    teller.on(({ machine }) => {
      const text = machine.unlocked ? UNLOCKED : '';
      // Said once, not at every word from the server.
      if (this.#element.textContent !== text) this.#element.textContent = text;
    });
  }
}
