// The tab strip: one button a terminal, walked with arrow keys as a tab list should be.
import type { Mark } from './attention.ts';
import { h, icon, iconButton } from './dom.ts';

/** One tab. */
export interface Tab {
  id: string;
  label: string;
  active: boolean;
  ended: boolean;
  watched: boolean;
  mark: Mark | null;
}

const MARKS: Record<Mark, string> = {
  output: 'new output',
  bell: 'bell',
  ended: 'ended',
  told: 'look here',
};

export class Tabs {
  readonly element = h('div', { className: 'tabs', attrs: { role: 'tablist', 'aria-label': 'Terminals' } });
  #drawn = new Map<string, { tab: Tab; element: HTMLElement }>();
  #active: string | null = null;

  constructor(private readonly act: Record<'choose' | 'close' | 'rename', (id: string) => void>) {
    this.element.addEventListener('keydown', (event) => {
      const buttons = [...this.element.querySelectorAll<HTMLElement>('[role=tab]')];
      const at = buttons.indexOf(document.activeElement as HTMLElement);
      const move = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
      if (at < 0 || move === undefined || event.ctrlKey) return;
      event.preventDefault();
      buttons.at(move % buttons.length)?.focus();
    });
  }

  label(id: string | null): string | null {
    return (id !== null && this.#drawn.get(id)?.tab.label) || null;
  }

  /** Draws what changed. */
  draw(tabs: Tab[]): void {
    const next = new Map<string, { tab: Tab; element: HTMLElement }>();
    for (const tab of tabs) {
      const before = this.#drawn.get(tab.id);
      const same = before && JSON.stringify(before.tab) === JSON.stringify(tab);
      const element = same ? before.element : this.#make(tab);
      if (before && !same) {
        const focused = before.element.contains(document.activeElement);
        before.element.replaceWith(element);
        if (focused) element.querySelector<HTMLElement>('[role=tab]')?.focus();
      }
      next.set(tab.id, { tab, element });
    }
    for (const [id, { element }] of this.#drawn) if (!next.has(id)) element.remove();
    [...next.values()].forEach(({ element }, index) => {
      if (this.element.children[index] !== element)
        this.element.insertBefore(element, this.element.children[index] ?? null);
    });
    this.#drawn = next;
    const active = tabs.find((tab) => tab.active)?.id ?? null;
    if (active !== this.#active && active !== null) {
      next.get(active)?.element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
    this.#active = active;
  }

  #make(tab: Tab): HTMLElement {
    const notes = [tab.ended && 'ended', tab.mark && MARKS[tab.mark]].filter(Boolean).join(', ');
    const button = h(
      'button',
      {
        className: 'choose',
        title: notes ? `${tab.label} (${notes})` : tab.label,
        tabIndex: tab.active ? 0 : -1,
        onclick: () => this.act.choose(tab.id),
        ondblclick: () => this.act.rename(tab.id),
        onauxclick: (event) => {
          if (event.button === 1) this.act.close(tab.id);
        },
        attrs: { role: 'tab', 'aria-selected': String(tab.active), 'aria-controls': `pane-${tab.id}` },
      },
      h('span', {
        className: `dot ${tab.ended ? 'ended' : (tab.mark ?? '')}`,
        attrs: { 'aria-hidden': 'true' },
      }),
      h('span', { className: 'label', textContent: tab.label }),
    );
    if (tab.mark === 'bell') button.append(icon('bell'));
    if (tab.watched) button.append(icon('eye'));
    if (notes) button.append(h('span', { className: 'off-screen', textContent: `, ${notes}` }));
    return h(
      'div',
      {
        className: `tab${tab.active ? ' active' : ''}`,
        attrs: { role: 'presentation', 'data-terminal': tab.id },
      },
      button,
      iconButton('close', `Close ${tab.label}`, () => this.act.close(tab.id)),
    );
  }
}
