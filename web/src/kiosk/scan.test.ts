import { expect, it } from 'vitest';
import { chordOf } from './chord.ts';
import { layout } from './layouts.ts';
import { AT_REST, choose, grouped, highlighted, type Node, next, PASSES, type Scan } from './scan.ts';
import { orderOf } from './switch.ts';

const KEYS: Node<string>[] = [grouped(['a', 'b', 'c']), grouped([...'0123456789'])];

/** Presses the two switches as told: n for next, c for choose. */
function press(orders: string, from: Scan = AT_REST, nodes = KEYS): { scan: Scan; pressed: string } {
  let scan = from;
  let pressed = '';
  for (const order of orders) {
    if (order === 'n') scan = next(nodes, scan);
    else {
      const [after, key] = choose(nodes, scan);
      scan = after;
      pressed += key ?? '';
    }
  }
  return { scan, pressed };
}
const shown = (scan: Scan) => highlighted(KEYS, scan);

it('either switch begins at the first row', () => {
  expect(shown(press('n').scan).items).toEqual(['a', 'b', 'c']);
  expect(shown(press('c').scan).items).toEqual(['a', 'b', 'c']);
});

it('a short row is scanned key by key, a long one in groups first', () => {
  expect(press('ncc').pressed).toBe('a');
  expect(press('ncnnc').pressed).toBe('c');
  expect(shown(press('nnc').scan).items).toEqual([...'01234']);
  expect(press('nncncnc').pressed).toBe('6');
});

it('after a key it begins at the first row again', () => {
  expect(press('ncc' + 'cnc').pressed).toBe('ab');
});

it('past the last key one can go back up', () => {
  const { scan } = press('ncnnn');
  expect(shown(scan)).toEqual({ items: ['a', 'b', 'c'], back: true });
  expect(shown(press('c', scan).scan)).toEqual({ items: ['a', 'b', 'c'], back: false });
});

it('what nobody chooses goes back up by itself, and from the top to rest', () => {
  // Three keys and "back", three times, beginning on the first one.
  expect(press(`nc${'n'.repeat(4 * PASSES - 1)}`).scan.path).toHaveLength(2);
  expect(press(`nc${'n'.repeat(4 * PASSES)}`).scan.path).toHaveLength(1);
  expect(press(`n${'n'.repeat(2 * PASSES)}`).scan.path).toEqual([]);
});

it('every key of every row can be reached', () => {
  const { rows } = layout('de', { layer: 'letters', narrow: false, hides: false });
  const nodes = rows.map((row) => grouped(row.map(({ key }) => key)));
  const reached = new Set<unknown>();
  const walk = (scan: Scan) => {
    let at = scan;
    for (let step = 0; step < 20; step++) {
      const { items, back } = highlighted(nodes, at);
      if (!back && items.length > 0) {
        const [deeper, key] = choose(nodes, at);
        if (key) reached.add(key);
        else if (deeper.path.length > at.path.length) walk(deeper);
      }
      at = next(nodes, at);
      if (at.path.length !== scan.path.length) return;
    }
  };
  walk(next(nodes, AT_REST));
  expect(reached.size).toBe(rows.flat().length);
});

it('nothing to scan is no reason to fail', () => {
  expect(next([], AT_REST)).toEqual(AT_REST);
  expect(choose([], { path: [3, 1], passes: 0 })[1]).toBeNull();
  expect(highlighted([], { path: [3, 1], passes: 0 }).items).toEqual([]);
});

it('keys are called as the configuration calls them', () => {
  const event = (key: string, more = {}) => ({
    key,
    ctrlKey: false,
    altKey: false,
    shiftKey: false,
    metaKey: false,
    ...more,
  });
  expect(chordOf(event('F13'))).toBe('F13');
  expect(chordOf(event(' '))).toBe('Space');
  expect(chordOf(event('ArrowLeft', { ctrlKey: true, shiftKey: true }))).toBe('Ctrl-Shift-Left');
  expect(chordOf(event('a', { altKey: true }))).toBe('Alt-A');
  const keys = ['F13', 'F14'];
  expect(orderOf(event('F13'), { keys, every: null })).toBe('next');
  expect(orderOf(event('F14'), { keys, every: null })).toBe('choose');
  expect(orderOf(event('F13'), { keys, every: 1500 })).toBe('choose');
  expect(orderOf(event('F15'), { keys, every: null })).toBeNull();
});
