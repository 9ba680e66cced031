// Setting the machine up in front of it: how to do it by phone while there is an access point for that, and the form.
import { h } from '../dom.ts';
import { look, take } from '../setup/api.ts';
import { SetupForm } from '../setup/form.ts';
import type { Teller, Told } from './told.ts';
import { say } from './window.ts';

type AccessPoint = NonNullable<Told['setup']['access_point']>;

export class SetUp {
  #dialog: HTMLDialogElement | null = null;
  /** The access point that is shown; what was closed is not shown again. */
  #shown = '';

  constructor(
    private readonly root: HTMLElement,
    teller: Teller,
  ) {
    teller.on(({ setup }) => void this.#told(setup.access_point));
  }

  /** The form. */
  async open(): Promise<void> {
    this.#put(h('p', { textContent: 'Looking for networks…' }));
    try {
      const state = await look();
      if (!this.#dialog) return;
      if (state.for.who === 'nobody') throw new Error('files on its card set this machine up');
      const form = new SetupForm(state, {
        send: take,
        done: () => this.#close(),
        cancel: () => this.#close(),
      });
      this.#put(h('h1', { textContent: 'Set up this machine' }), form.element);
      form.focus();
    } catch (error) {
      const text = error instanceof Error ? error.message : 'the machine does not answer';
      this.#put(
        h('p', { textContent: `It can’t be set up now: ${text}.` }),
        this.#button('Close', () => this.#close()),
      );
    }
  }

  async #told(point: AccessPoint | null): Promise<void> {
    const key = point ? `${point.ssid} ${point.passphrase} ${point.tried}` : '';
    if (key === this.#shown) return;
    const before = this.#shown;
    this.#shown = key;
    if (!point) {
      // It has found a network, or tries one: nothing to join any more. Whoever types in the form goes on.
      if (before && this.#dialog?.querySelector('.access-point')) this.#close();
      return;
    }
    if (this.#dialog) return;
    const code = h('div', { className: 'code' });
    this.#put(
      h('h1', { textContent: 'Set up this machine' }),
      point.tried && h('p', { className: 'tried', textContent: point.tried }),
      h(
        'div',
        { className: 'facts access-point' },
        code,
        h(
          'dl',
          {},
          h('dt', { textContent: 'With a phone: join this Wi-Fi network' }),
          h('dd', { className: 'where', textContent: point.ssid }),
          h('dt', { textContent: 'Passphrase' }),
          h('dd', { className: 'secret', textContent: point.passphrase }),
          h('dt', { textContent: 'If no page opens by itself' }),
          h('dd', { textContent: point.address }),
        ),
      ),
      h(
        'div',
        { className: 'choices' },
        this.#button('Set up here', () => void this.open()),
        this.#button('Not now', () => this.#close()),
      ),
    );
    const { picture } = await import('./qr.ts');
    // Name and passphrase are made by the machine, of letters and digits.
    code.replaceChildren(
      picture(`WIFI:T:WPA;S:${point.ssid};P:${point.passphrase};;`, `QR code to join ${point.ssid}`),
    );
  }

  #button(textContent: string, onclick: () => void): HTMLButtonElement {
    return h('button', { className: 'main', textContent, onclick });
  }

  #put(...content: (HTMLElement | string | false)[]): void {
    const sheet = h('div', { className: 'identity-sheet' }, ...content);
    if (this.#dialog) {
      this.#dialog.replaceChildren(sheet);
      return;
    }
    const dialog = h('dialog', {
      className: 'identity set-up',
      attrs: { 'aria-label': 'Set up this machine' },
      onclose: () => this.#close(),
    });
    dialog.append(sheet);
    // Modal: what is typed here goes nowhere else.
    dialog.addEventListener('keydown', (event) => event.stopPropagation());
    this.root.append(dialog);
    dialog.showModal();
    this.#dialog = dialog;
    say('painted');
  }

  #close(): void {
    this.#dialog?.remove();
    this.#dialog = null;
  }
}
