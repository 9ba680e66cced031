// A QR code as a picture: black on white with the quiet margin readers need, whatever the colours around it.
// A chunk of its own: only the page that shows one loads it.
import { encode } from 'uqr';

const SVG = 'http://www.w3.org/2000/svg';
/** Modules of white around it, as the standard asks. */
const QUIET = 4;

/** The code of a text, with error correction M: a scratch or a reflection doesn't matter. */
export function picture(text: string, label: string): SVGSVGElement {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET });
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.setAttribute('shape-rendering', 'crispEdges');
  const ground = document.createElementNS(SVG, 'rect');
  ground.setAttribute('width', String(size));
  ground.setAttribute('height', String(size));
  ground.setAttribute('fill', '#fff');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('fill', '#000');
  path.setAttribute('d', modules(data));
  svg.append(ground, path);
  return svg;
}

/** The black modules as one path: a run of them is one rectangle, so that no seam shows. Pure. */
export function modules(data: readonly (readonly boolean[])[]): string {
  const runs: string[] = [];
  data.forEach((row, y) => {
    let x = 0;
    while (x < row.length) {
      const from = x;
      while (row[x]) x++;
      if (x > from) runs.push(`M${from} ${y}h${x - from}v1h-${x - from}z`);
      else x++;
    }
  });
  return runs.join('');
}
