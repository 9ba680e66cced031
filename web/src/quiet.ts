// Keeps xterm.js silent: the server's screen model answers every query once; a second answer, from each
// browser that watches, would be typed into the program. (`2R0;276;0c` at the prompt is this fault.)
import type { IDisposable, Terminal } from '@xterm/xterm';

type Parser = Terminal['parser'];

/** Registers handlers that swallow every sequence xterm.js would answer. */
export function silence(parser: Parser): IDisposable[] {
  const swallow = () => true;
  const asks = (data: string) => data.split(';').includes('?');
  return [
    // DA1, DA2, DA3
    parser.registerCsiHandler({ final: 'c' }, swallow),
    parser.registerCsiHandler({ prefix: '>', final: 'c' }, swallow),
    parser.registerCsiHandler({ prefix: '=', final: 'c' }, swallow),
    // DSR, CPR, and the DEC private ones (colour scheme among them)
    parser.registerCsiHandler({ final: 'n' }, swallow),
    parser.registerCsiHandler({ prefix: '?', final: 'n' }, swallow),
    // DECRQM
    parser.registerCsiHandler({ intermediates: '$', final: 'p' }, swallow),
    parser.registerCsiHandler({ prefix: '?', intermediates: '$', final: 'p' }, swallow),
    // XTVERSION, DECREQTPARM, kitty keyboard query
    parser.registerCsiHandler({ prefix: '>', final: 'q' }, swallow),
    parser.registerCsiHandler({ final: 'x' }, swallow),
    parser.registerCsiHandler({ prefix: '?', final: 'u' }, swallow),
    // window reports and changes: the size isn't the program's to decide, the title comes by Meta
    parser.registerCsiHandler({ final: 't' }, swallow),
    // DECRQSS, XTGETTCAP
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, swallow),
    parser.registerDcsHandler({ intermediates: '+', final: 'q' }, swallow),
    // colour queries; setting colours stays xterm.js's own
    ...[4, 5, 10, 11, 12, 13, 14, 17, 19].map((code) => parser.registerOscHandler(code, asks)),
  ];
}
