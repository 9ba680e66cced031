// What is printed on the keys of the on-screen keyboard: national layouts as on real ones, and a layer of signs.

export const LAYOUTS = ['us', 'gb', 'de', 'fr', 'es'] as const;
/** A layout's name, as in the setting `kiosk.keyboard_layout`. */
export type LayoutName = (typeof LAYOUTS)[number];

/** A key that types a character, and the others on it. */
export interface CharKey {
  kind: 'char';
  plain: string;
  shift: string;
  /** With AltGr; empty: nothing. */
  third: string;
}

/** Keys that send something else than a character. */
export type Name =
  | 'Escape'
  | 'Tab'
  | 'Enter'
  | 'Backspace'
  | 'Delete'
  | 'Insert'
  | 'Left'
  | 'Up'
  | 'Down'
  | 'Right'
  | 'Home'
  | 'End'
  | 'PageUp'
  | 'PageDown'
  | `F${number}`;

export interface NamedKey {
  kind: 'named';
  name: Name;
}

export type Modifier = 'Shift' | 'Ctrl' | 'Alt' | 'AltGr';

export type Key =
  | CharKey
  | NamedKey
  | { kind: 'modifier'; modifier: Modifier }
  | { kind: 'layer' }
  | { kind: 'space' }
  | { kind: 'hide' };

/** A key in its row; `width` in units of one letter's key. */
export interface Placed {
  key: Key;
  width: number;
}

export interface Layout {
  rows: Placed[][];
  /** Accents that wait for their letter, as they do on the real keyboard. */
  dead: string;
}

/** Four rows: plain, shifted, with AltGr. A blank: nothing. */
interface Printed {
  label: string;
  plain: [string, string, string, string];
  shift: [string, string, string, string];
  third: [string, string, string, string];
  dead: string;
}

const PRINTED: Record<LayoutName, Printed> = {
  us: {
    label: 'English (US)',
    plain: ['`1234567890-=', 'qwertyuiop[]\\', "asdfghjkl;'", 'zxcvbnm,./'],
    shift: ['~!@#$%^&*()_+', 'QWERTYUIOP{}|', 'ASDFGHJKL:"', 'ZXCVBNM<>?'],
    third: ['', '', '', ''],
    dead: '',
  },
  gb: {
    label: 'English (UK)',
    plain: ['`1234567890-=', 'qwertyuiop[]', "asdfghjkl;'#", '\\zxcvbnm,./'],
    shift: ['¬!"£$%^&*()_+', 'QWERTYUIOP{}', 'ASDFGHJKL:@~', '|ZXCVBNM<>?'],
    third: ['¦   €        ', '  é   úíó   ', 'á           ', '           '],
    dead: '',
  },
  de: {
    label: 'Deutsch',
    plain: ['^1234567890ß´', 'qwertzuiopü+', 'asdfghjklöä#', '<yxcvbnm,.-'],
    shift: ['°!"§$%&/()=?`', 'QWERTZUIOPÜ*', "ASDFGHJKLÖÄ'", '>YXCVBNM;:_'],
    third: ['  ²³   {[]}\\ ', '@ €        ~', '            ', '|      µ   '],
    dead: '´`',
  },
  fr: {
    label: 'Français',
    plain: ['²&é"\'(-è_çà)=', 'azertyuiop^$', 'qsdfghjklmù*', '<wxcvbn,;:!'],
    shift: [' 1234567890°+', 'AZERTYUIOP¨£', 'QSDFGHJKLM%µ', '>WXCVBN?./§'],
    third: ['  ~#{[|`\\^@]}', '  €         ', '            ', '           '],
    dead: '^¨',
  },
  es: {
    label: 'Español',
    plain: ["º1234567890'¡", 'qwertyuiop`+', 'asdfghjklñ´ç', '<zxcvbnm,.-'],
    shift: ['ª!"·$%&/()=?¿', 'QWERTYUIOP^*', 'ASDFGHJKLÑ¨Ç', '>ZXCVBNM;:_'],
    third: ['\\|@#~€¬      ', '  €       []', '          {}', '           '],
    dead: '`^´¨',
  },
};

/** Signs every terminal needs, whatever the layout, and the keys beyond the letters. */
const SIGNS: [string, string, string] = ['1234567890', '!@#$%^&*()', '-_=+[]{}\\|'];
const MORE_SIGNS = ';:\'"`~,./<>?';

const row = (text: string): Placed[] =>
  [...text].map((plain) => ({ key: { kind: 'char', plain, shift: plain, third: '' }, width: 1 }));
const named = (name: Name, width = 1): Placed => ({ key: { kind: 'named', name }, width });
const modifier = (held: Modifier, width = 1): Placed => ({
  key: { kind: 'modifier', modifier: held },
  width,
});
const functions = (from: number, to: number): Placed[] =>
  Array.from({ length: to - from + 1 }, (_, at) => named(`F${from + at}`));
const arrows = (): Placed[] => [named('Left'), named('Down'), named('Right')];

function printed(layout: Printed, index: 0 | 1 | 2 | 3): Placed[] {
  const [plain, shift, third] = [layout.plain, layout.shift, layout.third].map((rows) => [...rows[index]]);
  return (plain ?? []).map((sign, at) => {
    const on = (signs: string[] | undefined) => (signs?.[at] ?? ' ').trim();
    return { key: { kind: 'char', plain: sign, shift: on(shift) || sign, third: on(third) }, width: 1 };
  });
}

function last(third: boolean, hides: boolean, space: number): Placed[] {
  return [
    { key: { kind: 'layer' }, width: 1.5 },
    modifier('Alt', 1.25),
    { key: { kind: 'space' }, width: space - (third ? 1.25 : 0) },
    ...(third ? [modifier('AltGr', 1.25)] : []),
    ...arrows(),
    ...(hides ? [{ key: { kind: 'hide' } as const, width: 1 }] : []),
  ];
}

/** As on a desk: 15 units wide, four rows and the space bar. */
function wide(layout: Printed, hides: boolean): Placed[][] {
  const long = layout.plain[2].length > 11;
  const third = layout.third.some((signs) => signs !== '');
  const end = hides ? 8.25 : 9.25;
  return [
    [named('Escape'), ...printed(layout, 0), named('Backspace')],
    long
      ? [named('Tab', 1.25), ...printed(layout, 1), named('Delete', 1.75)]
      : [
          named('Tab', 1.25),
          ...printed(layout, 1).map((placed, at, all) =>
            at === all.length - 1 ? { ...placed, width: 1.75 } : placed,
          ),
        ],
    [modifier('Ctrl', 1.5), ...printed(layout, 2), named('Enter', long ? 1.5 : 2.5)],
    [modifier('Shift', long ? 1 : 2), ...printed(layout, 3), named('Up'), modifier('Shift', 2)],
    last(third, hides, end),
  ];
}

/** For screens held upright: letters and digits only, as on a telephone; all signs are on the other layer. */
function narrow(layout: Printed, hides: boolean): Placed[][] {
  const letters = (index: 0 | 1 | 2 | 3): Placed[] =>
    printed(layout, index).filter(({ key }) => key.kind === 'char' && /\p{L}/u.test(key.plain));
  return [
    row(SIGNS[0]),
    letters(1),
    letters(2),
    [modifier('Shift', 1.5), ...letters(3), ...letters(0), named('Backspace', 1.5)],
    [named('Escape', 1.25), named('Tab', 1.25), modifier('Ctrl', 1.25), modifier('Alt', 1.25)].concat(
      row('-/.'),
      [named('Up'), named('Enter', 2)],
    ),
    [
      { key: { kind: 'layer' }, width: 1.5 },
      { key: { kind: 'space' }, width: hides ? 4.5 : 5.5 },
      ...arrows(),
      ...(hides ? [{ key: { kind: 'hide' } as const, width: 1 }] : []),
    ],
  ];
}

/** The layer of signs and of what is beside the letters on a desk's keyboard. */
function signs(hides: boolean): Placed[][] {
  return [
    functions(1, 12),
    [named('Escape'), ...row(SIGNS[0]), named('Backspace')],
    [named('Tab'), ...row(SIGNS[1]), named('Delete')],
    [modifier('Ctrl'), ...row(SIGNS[2]), named('Enter')],
    row(MORE_SIGNS),
    [
      { key: { kind: 'layer' }, width: 1.5 },
      modifier('Alt'),
      { key: { kind: 'space' }, width: hides ? 1.5 : 2.5 },
      named('Home'),
      named('End'),
      named('PageUp'),
      named('PageDown'),
      named('Up'),
      ...arrows(),
      ...(hides ? [{ key: { kind: 'hide' } as const, width: 1 }] : []),
    ],
  ];
}

/** The same for screens held upright; the digits are with the letters. */
function narrowSigns(hides: boolean): Placed[][] {
  return [
    functions(1, 6),
    functions(7, 12),
    row(SIGNS[1]),
    row(SIGNS[2]),
    row(MORE_SIGNS),
    [
      named('Escape'),
      named('Home'),
      named('End'),
      named('PageUp', 1.2),
      named('PageDown', 1.2),
      named('Delete'),
      named('Up'),
      named('Backspace'),
    ],
    [
      { key: { kind: 'layer' }, width: 1.5 },
      modifier('Ctrl', 1.2),
      { key: { kind: 'space' }, width: hides ? 1.5 : 2.5 },
      ...arrows(),
      named('Enter', 1.2),
      ...(hides ? [{ key: { kind: 'hide' } as const, width: 1 }] : []),
    ],
  ];
}

/** The rows of a layout's letters, or of the layer of signs. `hides`: with a key that puts the keyboard away. */
export function layout(
  name: LayoutName,
  form: { layer: 'letters' | 'signs'; narrow: boolean; hides: boolean },
): Layout {
  const found = PRINTED[name];
  if (form.layer === 'signs')
    return { rows: form.narrow ? narrowSigns(form.hides) : signs(form.hides), dead: '' };
  const make = form.narrow ? narrow : wide;
  return { rows: make(found, form.hides), dead: found.dead };
}

/** The layout a setting names; the first one if there is no such. */
export function layoutNamed(name: string | undefined): LayoutName {
  return LAYOUTS.find((known) => known === name) ?? 'us';
}

/** The language of a layout, for whoever reads the page aloud. */
export function labelOf(name: LayoutName): string {
  return PRINTED[name].label;
}
