// One line at the edge of the screen: what machine this is, how to reach it, who else is looking, and the time.
import { h, icon } from '../dom.ts';
import type { ViewerInfo } from '../frames.ts';
import { tidy } from '../text.ts';
import { showTime } from './clock.ts';
import type { Told } from './told.ts';

export class Strip {
  readonly element = h('footer', { className: 'strip', hidden: true });
  readonly #name = h('strong', {});
  readonly #address = h('span', { className: 'address' });
  readonly #watching = h('span', { className: 'watching', hidden: true, attrs: { role: 'status' } });
  readonly #network = h('span', { className: 'network', attrs: { role: 'status' } });
  readonly #time = h('time', {});
  readonly #person = h('span', { className: 'person' });
  readonly #leave = h('button', { className: 'leave', textContent: 'Log out', hidden: true });
  #addresses: string[] = [];
  #wanted: 'off' | 'top' | 'bottom' = 'off';

  /** `leave` is called when whoever is logged in wants to go. */
  constructor(leave: () => void) {
    this.#leave.onclick = leave;
    this.element.append(
      this.#person,
      this.#name,
      this.#address,
      this.#watching,
      h('span', { className: 'gap' }),
      this.#network,
      this.#time,
      this.#leave,
    );
    showTime(this.#time);
    // The browser hears of networks at once, the server tells their addresses.
    for (const name of ['online', 'offline']) addEventListener(name, () => this.#showNetwork());
  }

  dress({ kiosk: { strip }, machine }: Told): void {
    this.#wanted = strip;
    this.#settle();
    this.#name.textContent = tidy(machine.name, 64);
    this.#address.textContent = machine.address.replace(/\/$/, '');
    this.#addresses = machine.addresses;
    this.#showNetwork();
  }

  /** Who is logged in; they have to see how to leave. */
  welcome(name: string | null): void {
    this.#person.textContent = name === null ? '' : tidy(name, 40);
    this.#leave.hidden = name === null;
    this.element.classList.toggle('in', name !== null);
    this.#settle();
  }

  #settle(): void {
    const { style } = document.documentElement;
    const where = this.#wanted === 'off' && !this.#leave.hidden ? 'bottom' : this.#wanted;
    this.element.hidden = where === 'off';
    this.element.classList.toggle('top', where === 'top');
    style.setProperty('--strip', this.#leave.hidden ? 'var(--strip-thin)' : 'var(--strip-thick)');
    style.setProperty('--strip-top', where === 'top' ? 'var(--strip)' : '0px');
    style.setProperty('--strip-bottom', where === 'bottom' ? 'var(--strip)' : '0px');
  }

  /** Everybody who watches the terminal, this screen too. */
  watch(viewers: ViewerInfo[]): void {
    const words = watchers(viewers);
    this.#watching.hidden = words === null;
    this.#watching.replaceChildren(icon('eye'), words ?? '');
  }

  #showNetwork(): void {
    const none = this.#addresses.length === 0 || !navigator.onLine;
    this.#network.classList.toggle('none', none);
    // One is enough, and IPv4 is what people can type.
    const first = this.#addresses.find((address) => !address.includes(':')) ?? this.#addresses[0];
    this.#network.textContent = none ? 'No network' : (first ?? '');
  }
}

/** Who else watches, in words; `null` when nobody does. Whoever may type is said to. */
export function watchers(viewers: ViewerInfo[]): string | null {
  const others = viewers.filter(({ kiosk, mode }) => !kiosk && mode !== 'manage');
  if (others.length === 0) return null;
  const typing = others.some(({ mode }) => mode === 'type') ? ' and can type' : '';
  if (others.length > 1) return `${others.length} people are watching${typing}`;
  const label = tidy(others[0]?.label ?? '', 40);
  // Words of programs, not names of people.
  const known = label !== '' && label !== 'browser' && !label.startsWith('command line');
  return `${known ? label : 'Somebody'} is watching${typing}`;
}
