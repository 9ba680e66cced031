// How high a line of type has to be for all of it to be seen.

/** Pixels an underscore may hang below the line before it is lost. */
const TOLERANCE = 0.25;

/** What a browser says of a font at one size, in CSS pixels; as `TextMetrics` of an underscore. */
export type Metrics = Pick<
  TextMetrics,
  'fontBoundingBoxAscent' | 'fontBoundingBoxDescent' | 'actualBoundingBoxDescent'
>;

/** A line's height: in CSS pixels, and as the factor xterm.js wants. */
export interface LineHeight {
  px: number;
  factor: number;
}

/**
 * Browsers round a font's depth to whole pixels. Where they round down, what is at the very bottom, the underscore,
 * is outside the line and cut off: with DejaVu Sans Mono at 14 and 10 pixels. Such a line gets one pixel more. Pure.
 */
export function lineHeight(metrics: Metrics): LineHeight {
  const natural = metrics.fontBoundingBoxAscent + metrics.fontBoundingBoxDescent;
  const cut = metrics.actualBoundingBoxDescent - metrics.fontBoundingBoxDescent > TOLERANCE;
  if (!cut || !(natural > 0)) return { px: natural > 0 ? natural : 1, factor: 1 };
  // A little more than needed, because xterm.js rounds down.
  return { px: natural + 1, factor: (natural + 1.01) / natural };
}

let canvas: CanvasRenderingContext2D | null = null;

/** The same, asked of this browser. */
export function lineHeightOf(family: string, size: number): LineHeight {
  canvas ??= document.createElement('canvas').getContext('2d');
  if (!canvas) return { px: size, factor: 1 };
  canvas.font = `${size}px ${family}`;
  return lineHeight(canvas.measureText('_'));
}
