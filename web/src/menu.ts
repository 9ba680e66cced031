// A small menu under a button: arrow keys walk it, Esc closes it.
import { h } from './dom.ts';

/** One line of a menu; `null` draws a rule. */
export type Item = { label: string; hint?: string; checked?: boolean; run(): void } | null;

/** Opens a menu below `anchor`; `closed` gives the focus back to where it belongs. */
export function openMenu(anchor: HTMLElement, items: Item[], closed: () => void): void {
  const buttons: HTMLButtonElement[] = [];
  const menu = h('div', { className: 'menu', attrs: { role: 'menu' } });
  for (const item of items) {
    if (!item) {
      menu.append(h('hr'));
      continue;
    }
    const { label, hint, checked, run } = item;
    const button = h(
      'button',
      {
        onclick: () => {
          close();
          run();
        },
        attrs: {
          role: checked === undefined ? 'menuitem' : 'menuitemcheckbox',
          ...(checked === undefined ? {} : { 'aria-checked': String(checked) }),
        },
      },
      h('span', { textContent: label }),
      hint && h('kbd', { textContent: hint }),
    );
    buttons.push(button);
    menu.append(button);
  }
  const close = () => {
    menu.remove();
    anchor.setAttribute('aria-expanded', 'false');
    removeEventListener('pointerdown', outside, true);
    removeEventListener('resize', close);
    closed();
  };
  const outside = (event: Event) => {
    if (event.target instanceof Node && !menu.contains(event.target) && !anchor.contains(event.target))
      close();
  };
  menu.addEventListener('keydown', (event) => {
    event.stopPropagation();
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const move = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (move !== undefined) {
      event.preventDefault();
      buttons.at(move % buttons.length)?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      close();
    }
  });
  addEventListener('pointerdown', outside, true);
  addEventListener('resize', close);
  anchor.setAttribute('aria-expanded', 'true');
  document.body.append(menu);
  const { bottom, right } = anchor.getBoundingClientRect();
  menu.style.top = `${bottom + 4}px`;
  menu.style.right = `${Math.max(4, innerWidth - right)}px`;
  buttons[0]?.focus();
}
