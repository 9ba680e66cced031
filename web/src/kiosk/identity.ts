// Who this machine is, on its own screen: name, address, QR code, fingerprint, and before its first use the
// administrator's password. Until somebody has noted it, or logged in from elsewhere; later, when asked for.
import * as api from '../api.ts';
import { h } from '../dom.ts';
import { lines, whereabouts } from './address.ts';
import type { Teller, Told } from './told.ts';
import { say } from './window.ts';

/** What was asked for goes by itself after this long, in ms. */
const SHOWN = 120_000;
/** How often it is asked whether the password is still needed, in ms. */
const LOOK_EVERY = 5000;

type Certificate = Awaited<ReturnType<typeof api.certificate>>;
type Fresh = Awaited<ReturnType<typeof api.freshPassword>>;

export class Identity {
  #sheet: HTMLDialogElement | null = null;
  /** Whether it stays until it is noted. */
  #first = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #code: { address: string; place: HTMLElement } | null = null;
  /** Counts openings and closings: what was asked for before a later one is not shown after it. */
  #turn = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly teller: Teller,
    private readonly setUp: () => void,
  ) {
    teller.on((told) => void this.#told(told));
  }

  /** Shows it because somebody wants to see it. */
  async show(): Promise<void> {
    const { told } = this.teller;
    if (!told || (this.#sheet && this.#first)) return;
    await this.#open(told, false);
    if (this.#sheet && !this.#first) this.#timer = setTimeout(() => this.#close(), SHOWN);
  }

  async #told(told: Told): Promise<void> {
    if (this.#sheet && !(this.#first && !told.machine.first_use)) {
      // It has moved in the network, perhaps.
      await this.#open(told, this.#first);
      return;
    }
    if (this.#sheet) this.#close();
    if (!told.machine.first_use || told.kiosk.identity === 'never') return;
    // How to get it into a network comes first; who it is there is for later.
    if (told.setup.access_point) return;
    await this.#open(told, true);
  }

  async #open(told: Told, first: boolean): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    const [fresh, certificate] = await Promise.all([
      first ? api.freshPassword().catch(() => null) : null,
      api.certificate().catch(() => null),
    ]);
    // Meanwhile it was noted, or there is something newer to say: a sheet that comes back would never go again.
    if (turn !== this.#turn) return;
    const found = whereabouts(told.machine);
    // Nothing to say to anybody: no password, and nobody else gets here.
    const nothing = !fresh && (found.length === 0 || !certificate);
    if (first && nothing && told.setup.who !== 'anyone') return;
    this.#first = first;
    const button = h('button', {
      className: 'main',
      textContent: first ? 'I have noted it' : 'Close',
      onclick: () => void this.#noted(),
    });
    const content = h(
      'div',
      { className: 'identity-sheet' },
      ...sheet(told, found, certificate, fresh),
      h('div', { className: 'choices' }, told.setup.who !== 'nobody' && this.#setUpButton(), button),
    );
    const before = this.#sheet;
    if (before) before.replaceChildren(content);
    else this.#up(content);
    const place = content.querySelector<HTMLElement>('.code');
    const [address] = found;
    if (place && address) void this.#draw(address, place);
    button.focus();
    if (fresh) this.#lookAgain();
  }

  #up(content: HTMLElement): void {
    // Modal: the terminal underneath can't take the keys, however often it asks for them.
    const dialog = h('dialog', {
      className: 'identity',
      attrs: { 'aria-labelledby': 'identity-title' },
      oncancel: (event) => {
        if (this.#first) event.preventDefault();
      },
      onclose: () => {
        // Browsers let nobody stay in a dialog against their will; this one is for whoever comes next.
        if (this.#first && dialog === this.#sheet) dialog.showModal();
        else this.#close();
      },
    });
    dialog.append(content);
    dialog.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (this.#first && event.key === 'Escape') event.preventDefault();
    });
    this.root.append(dialog);
    dialog.showModal();
    this.#sheet = dialog;
    say('painted');
  }

  async #draw(address: string, place: HTMLElement): Promise<void> {
    if (this.#code?.address === address) {
      place.replaceWith(this.#code.place);
      return;
    }
    const { picture } = await import('./qr.ts');
    place.replaceChildren(picture(address, `QR code of ${address}`));
    this.#code = { address, place };
  }

  async #noted(): Promise<void> {
    if (this.#first) await api.passwordNoted().catch(() => {});
    this.#close();
  }

  #setUpButton(): HTMLButtonElement {
    return h('button', {
      className: 'main',
      textContent: 'Set up…',
      onclick: () => {
        // Above this sheet, which is still there when whoever it was has changed their mind.
        this.setUp();
      },
    });
  }

  #close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#turn += 1;
    this.#first = false;
    const sheet = this.#sheet;
    this.#sheet = null;
    // Closed before it goes: that gives the keyboard back to whoever had it. One that came up before the
    // terminal was ready has nobody to give it to.
    if (sheet?.open) sheet.close();
    sheet?.remove();
    if (sheet && (!document.activeElement || document.activeElement === document.body)) {
      document.querySelector<HTMLElement>('.xterm-helper-textarea')?.focus();
    }
  }

  /** Whoever logs in with the password has it. */
  #lookAgain(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void api.freshPassword().then(
        (still) => (still ? this.#lookAgain() : this.#close()),
        () => this.#lookAgain(),
      );
    }, LOOK_EVERY);
  }
}

function sheet({ machine }: Told, found: string[], certificate: Certificate, fresh: Fresh): HTMLElement[] {
  const [address, ...more] = found;
  const facts = h(
    'dl',
    {},
    ...(address
      ? [h('dt', { textContent: 'Administer it at' }), h('dd', { className: 'where', textContent: address })]
      : []),
    ...more.slice(0, 2).map((other) => h('dd', { className: 'also', textContent: `or ${other}` })),
    ...(fresh
      ? [
          h('dt', { textContent: 'Name' }),
          h('dd', { textContent: fresh.user }),
          h('dt', { textContent: 'Password' }),
          h('dd', { className: 'secret', textContent: fresh.password }),
        ]
      : []),
    ...(certificate && address
      ? [
          h('dt', { textContent: 'Fingerprint of its certificate (SHA-256)' }),
          h(
            'dd',
            { className: 'fingerprint' },
            ...lines(certificate.fingerprint).map((line) => h('span', { textContent: line })),
          ),
        ]
      : []),
  );
  const notes = [
    certificate?.self_signed &&
      address &&
      'The browser warns at first, for the certificate is this machine’s own. Compare the fingerprint, then go on.',
    fresh &&
      'The password was made for this machine. It is shown until it is noted or used, and never again.',
    !address && 'Nothing but this machine itself reaches it.',
  ].filter((note): note is string => typeof note === 'string');
  return [
    h('h1', { id: 'identity-title', textContent: machine.name }),
    h('div', { className: 'facts' }, ...(address ? [h('div', { className: 'code' })] : []), facts),
    ...notes.map((textContent) => h('p', { textContent })),
  ];
}
