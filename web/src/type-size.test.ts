import { expect, it } from 'vitest';
import { lineHeight } from './type-size.ts';

const measured = (ascent: number, descent: number, underscore: number) => ({
  fontBoundingBoxAscent: ascent,
  fontBoundingBoxDescent: descent,
  actualBoundingBoxDescent: underscore,
});

it('a line whose underscore would be cut off gets one pixel more, and no other does', () => {
  // DejaVu Sans Mono at 14, 10, 13 and 16 pixels.
  for (const [metrics, px] of [
    [measured(13, 3, 3.3), 17],
    [measured(9, 2, 2.36), 12],
    [measured(12, 3, 3.07), 15],
    [measured(15, 4, 3.78), 19],
  ] as const) {
    const { px: found, factor } = lineHeight(metrics);
    const natural = metrics.fontBoundingBoxAscent + metrics.fontBoundingBoxDescent;
    expect(found).toBe(px);
    // As xterm.js computes it, on ordinary and on fine screens.
    for (const pixels of [1, 1.5, 2, 3]) {
      const before = Math.ceil(natural * pixels);
      expect(Math.floor(before * factor) > before).toBe(px > natural);
    }
  }
});

it('a browser that says nothing of a font changes nothing', () => {
  expect(lineHeight(measured(0, 0, 0)).factor).toBe(1);
  expect(lineHeight(measured(Number.NaN, Number.NaN, Number.NaN)).factor).toBe(1);
});
