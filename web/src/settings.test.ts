import { expect, it } from 'vitest';
import { clampFont, DEFAULTS, FONT_MAX, FONT_MIN, load, save } from './settings.ts';

function store(text: string | null) {
  let held = text;
  return {
    getItem: () => held,
    setItem: (_key: string, value: string) => {
      held = value;
    },
  };
}

it('what was kept comes back', () => {
  const kept = store(null);
  save(kept, { ...DEFAULTS, theme: 'light', fontSize: 18, flash: false });
  expect(load(kept)).toEqual({ ...DEFAULTS, theme: 'light', fontSize: 18, flash: false });
});

it('nonsense becomes the default', () => {
  for (const text of [
    null,
    '',
    '{',
    'null',
    '[]',
    '7',
    '{"theme":"pink","fontSize":"x","flash":1,"keyBar":2,"held":"a"}',
  ]) {
    expect(load(store(text))).toEqual(DEFAULTS);
  }
  expect(load(null)).toEqual(DEFAULTS);
});

it('font sizes stop at their limits', () => {
  expect(clampFont(FONT_MIN - 1)).toBe(FONT_MIN);
  expect(clampFont(FONT_MAX + 1)).toBe(FONT_MAX);
  expect(clampFont(Number.NaN)).toBe(DEFAULTS.fontSize);
});

it('a store that refuses does no harm', () => {
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error('full');
    },
  };
  expect(() => save(full, DEFAULTS)).not.toThrow();
});
