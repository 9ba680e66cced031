// The help page: one sheet, reached and left by keyboard.
import { ask } from './dialogs.ts';
import { h } from './dom.ts';
import { type Held, shortcuts } from './keys.ts';

export async function showHelp(keeper: string, held: Held): Promise<void> {
  const rows = shortcuts(held).map(([keys, what]) =>
    h('tr', {}, h('th', { scope: 'row' }, h('kbd', { textContent: keys })), h('td', { textContent: what })),
  );
  const facts = [
    'The terminal lives on the server. Close this page, lose the network, restart the server: the same shell, screen and scrollback are here when you come back. It ends when its program ends or you close it.',
    'When the page is offline it says so. What you type then is dropped, not sent later.',
    'One screen decides a terminal’s size; others see it fitted to theirs and can take the size over.',
    'Links open with Ctrl-click, http and https only. Programs may put text on your clipboard (OSC 52) but never read it.',
    'A paste with line ends into a program that can’t tell a paste from typing is shown to you first.',
  ];
  await ask(
    'Help',
    [
      h(
        'div',
        { className: 'scroll', tabIndex: 0 },
        h('table', { className: 'keys' }, h('tbody', {}, ...rows)),
        ...facts.map((textContent) => h('p', { textContent })),
        h('p', { className: 'hint', textContent: keeper ? `Gatepost, keeper ${keeper}` : 'Gatepost' }),
      ),
    ],
    [],
    { wide: true, cancel: 'Close' },
  );
}
