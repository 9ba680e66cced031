// What may be opened here, when that is more than one thing: a tile for each, and the answer is one of them.
import type { Offer, Offers } from './api.ts';
import { ask } from './dialogs.ts';
import { h } from './dom.ts';
import { tidy } from './text.ts';

/** A tile. */
export interface Tile {
  /** The command's name; "" is the login shell. */
  program: string;
  icon: string;
  label: string;
  description: string;
}

/** Most characters of a description that are shown. */
const DESCRIPTION = 200;

function short(icon: string | null): icon is string {
  const length = [...(icon ?? '')].length;
  return length === 1 || length === 2;
}

/** The tiles, with what opens by itself first. The shell is what opens when there is no other default. Pure. */
export function tilesOf({ commands, shell, default: first }: Offers): Tile[] {
  const tiles = commands.map(({ name, description, icon }: Offer) => ({
    program: name,
    // The name of an icon is for clients that have one; a character or two can be shown.
    icon: short(icon) ? tidy(icon, 4) : ([...name][0] ?? '').toUpperCase(),
    label: tidy(name, 64),
    description: tidy(description ?? '', DESCRIPTION),
  }));
  if (first === null) {
    return shell
      ? [{ program: '', icon: '$', label: 'Shell', description: 'Your login shell' }, ...tiles]
      : tiles;
  }
  return [
    ...tiles.filter(({ program }) => program === first),
    ...tiles.filter(({ program }) => program !== first),
  ];
}

/** Asks which: its name, "" for the shell; `null` when none after all. */
export function choose(offers: Offers): Promise<string | null> {
  return new Promise((resolve) => {
    let chosen: string | null = null;
    const tiles = tilesOf(offers).map(({ program, icon, label, description }) =>
      h(
        'button',
        {
          onclick: (event) => {
            chosen = program;
            (event.currentTarget as Element).closest('dialog')?.close();
          },
        },
        h('span', { className: 'sign', textContent: icon, attrs: { 'aria-hidden': 'true' } }),
        h('span', {}, h('b', { textContent: label }), h('small', { textContent: description })),
      ),
    );
    const list = h('div', { className: 'tiles scroll' }, ...tiles);
    // Arrows walk as they do in a menu; Tab does, too.
    list.addEventListener('keydown', (event) => {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      const at = tiles.indexOf(document.activeElement as HTMLButtonElement);
      tiles[(at + by + tiles.length) % tiles.length]?.focus();
    });
    const first = tiles[0];
    void ask('Open', [list], [], { wide: true, ...(first ? { focus: first } : {}) }).then(() =>
      resolve(chosen),
    );
  });
}
