// The right end of the bar: how the terminal in front stands, and whose screen decides its size.
import type { Link } from './connection.ts';
import { h, icon } from './dom.ts';

/** One word for a state, and the class that colours its dot. Pure. */
export function wordFor(link: Link, ended: boolean, behind: boolean): { kind: string; text: string } {
  if (link.phase === 'live') {
    if (ended) return { kind: 'ended', text: 'ended' };
    return behind ? { kind: 'behind', text: 'catching up' } : { kind: 'live', text: 'live' };
  }
  const away = link.phase === 'lost' || (link.phase === 'connecting' && link.wasLive);
  return away ? { kind: 'lost', text: 'offline' } : { kind: 'connecting', text: 'connecting' };
}

export class Status {
  readonly pill = h('span', { className: 'pill', attrs: { role: 'status' } });
  readonly owner = h('span', { className: 'owner', hidden: true });
  #by: string | null = null;

  /** `takeSize` makes this viewer's screen decide. */
  constructor(private readonly takeSize: () => void) {}

  show(word: { kind: string; text: string }, sizeBy: string | null): void {
    const { kind, text } = word;
    if (this.pill.textContent !== text) {
      this.pill.className = `pill ${kind}`;
      this.pill.textContent = text;
    }
    if (sizeBy === this.#by) return;
    this.#by = sizeBy;
    this.owner.hidden = sizeBy === null;
    if (sizeBy === null) return;
    this.owner.title = `The size of this terminal is decided by ${sizeBy}; here it is fitted.`;
    this.owner.replaceChildren(
      h('span', { textContent: `Size decided by ${sizeBy}.` }),
      h(
        'button',
        { onclick: this.takeSize, attrs: { 'aria-label': 'Take it: let this screen decide the size' } },
        icon('size'),
        h('span', { textContent: 'Take it' }),
      ),
    );
  }
}
