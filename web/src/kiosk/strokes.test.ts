import { expect, it } from 'vitest';
import { type CharKey, LAYOUTS, layout } from './layouts.ts';
import { bytesOfName, bytesOfText, composed, type Held, NONE, signOf, touched, used } from './strokes.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const held = (...names: (keyof Held)[]): Held => ({
  ...NONE,
  ...Object.fromEntries(names.map((name) => [name, 'once'])),
});

it('a modifier is for one key, then locked, then up', () => {
  const once = touched(NONE, 'Ctrl');
  expect(once.Ctrl).toBe('once');
  expect(used(once).Ctrl).toBe('off');
  const locked = touched(once, 'Ctrl');
  expect(used(locked).Ctrl).toBe('locked');
  expect(touched(locked, 'Ctrl')).toEqual(NONE);
});

it.each([
  ['c', held('Ctrl'), '\x03'],
  [' ', held('Ctrl'), '\0'],
  ['x', held('Alt'), '\x1bx'],
  ['c', held('Ctrl', 'Alt'), '\x1b\x03'],
  ['€', NONE, '€'],
])('%s sends what a keyboard sends', (sign, how, sent) => {
  expect(text(bytesOfText(sign, how))).toBe(sent);
});

it.each([
  ['Up', NONE, false, '\x1b[A'],
  ['Up', NONE, true, '\x1bOA'],
  ['Up', held('Ctrl'), true, '\x1b[1;5A'],
  ['Home', held('Shift', 'Alt'), false, '\x1b[1;4H'],
  ['F1', NONE, false, '\x1bOP'],
  ['F4', held('Alt'), false, '\x1b[1;3S'],
  ['F5', NONE, false, '\x1b[15~'],
  ['F12', held('Ctrl'), false, '\x1b[24;5~'],
  ['Delete', NONE, false, '\x1b[3~'],
  ['Tab', NONE, false, '\t'],
  ['Tab', held('Shift'), false, '\x1b[Z'],
  ['Enter', NONE, false, '\r'],
  ['Backspace', NONE, false, '\x7f'],
  ['Backspace', held('Ctrl'), false, '\b'],
  ['Backspace', held('Alt'), false, '\x1b\x7f'],
  ['Escape', NONE, true, '\x1b'],
] as const)('%s sends what xterm sends', (name, how, application, sent) => {
  expect(text(bytesOfName(name, how, application))).toBe(sent);
});

it('accents make letters where there are such, and stand before those where there are not', () => {
  expect(composed('´', 'e')).toBe('é');
  expect(composed('^', 'O')).toBe('Ô');
  expect(composed('¨', 'u')).toBe('ü');
  expect(composed('`', ' ')).toBe('`');
  expect(composed('^', '^')).toBe('^');
  expect(composed('´', 'q')).toBe('´q');
});

it('every layout has every character a program in a terminal is typed with', () => {
  const ascii = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
  for (const name of LAYOUTS) {
    for (const narrow of [false, true]) {
      const found = new Set<string>();
      for (const layer of ['letters', 'signs'] as const) {
        const { rows } = layout(name, { layer, narrow, hides: true });
        for (const { key } of rows.flat()) {
          if (key.kind !== 'char') continue;
          for (const how of [NONE, held('Shift'), held('AltGr')]) found.add(signOf(key, how));
        }
      }
      expect(
        ascii.filter((sign) => !found.has(sign)),
        `${name}, ${narrow ? 'narrow' : 'wide'}`,
      ).toEqual([]);
    }
  }
});

it('rows of a layout are as long as they should be, and no key is there twice', () => {
  for (const name of LAYOUTS) {
    const { rows } = layout(name, { layer: 'letters', narrow: false, hides: true });
    for (const row of rows) expect(row.reduce((sum, { width }) => sum + width, 0)).toBe(15);
    const printed = rows.flat().flatMap(({ key }) => (key.kind === 'char' ? [key.plain] : []));
    expect(new Set(printed).size, name).toBe(printed.length);
  }
});

it('what is printed is what real keyboards have', () => {
  const key = (name: (typeof LAYOUTS)[number], plain: string) =>
    layout(name, { layer: 'letters', narrow: false, hides: false })
      .rows.flat()
      .map((placed) => placed.key)
      .find((one): one is CharKey => one.kind === 'char' && one.plain === plain);
  expect(key('de', 'q')?.third).toBe('@');
  expect(key('de', '7')).toMatchObject({ shift: '/', third: '{' });
  expect(key('de', '<')).toMatchObject({ shift: '>', third: '|' });
  expect(key('fr', 'à')).toMatchObject({ shift: '0', third: '@' });
  expect(key('fr', '(')).toMatchObject({ shift: '5', third: '[' });
  expect(key('gb', '2')).toMatchObject({ shift: '"' });
  expect(key('gb', "'")).toMatchObject({ shift: '@' });
  expect(key('es', '2')).toMatchObject({ shift: '"', third: '@' });
  expect(key('es', '4')).toMatchObject({ shift: '$', third: '~' });
  expect(key('us', '2')).toMatchObject({ shift: '@', third: '' });
});
