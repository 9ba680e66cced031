// Works around faults of xterm.js 6.0 that plain output of ordinary programs runs into.
import type { IDisposable, Terminal } from '@xterm/xterm';

/**
 * How many bytes at the end are an unfinished character (0 to 3). They have to wait for the rest: xterm.js loses a
 * character that two writes share if the first ends after a byte 0x80, as in E2 80 | 93, a dash.
 */
export function unfinishedLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xf8 || byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** The part of xterm.js's inside that is needed; its names are the same in every build. */
interface Inside {
  _core?: { _inputHandler?: { eraseInDisplay?: (params: { params: number[]; length: number }) => boolean } };
}

/**
 * Takes over "erase up to the cursor" (CSI 1 J) when the cursor is in the last column of the last row: xterm.js throws
 * there without scrollback, as on the alternate screen, and then never writes again. It is the same as erasing all.
 */
export function guardErase(term: Pick<Terminal, 'parser' | 'buffer' | 'cols' | 'rows'>): IDisposable {
  return term.parser.registerCsiHandler({ final: 'J' }, (params) => {
    const { cursorX, cursorY } = term.buffer.active;
    if (params[0] !== 1 || cursorX + 1 < term.cols || cursorY + 1 < term.rows) return false;
    (term as Inside)._core?._inputHandler?.eraseInDisplay?.({ params: [2], length: 1 });
    return true;
  });
}
