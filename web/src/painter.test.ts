import headless from '@xterm/headless';
import { expect, it } from 'vitest';
import { type Paint, Painter } from './painter.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const output = (seq: number, text: string): Paint => ({ type: 'output', seq, bytes: bytes(text) });
const repaint = (seq: number, cols: number, rows: number, keep: boolean, text: string): Paint => ({
  type: 'repaint',
  seq,
  size: { cols, rows },
  keep,
  bytes: bytes(text),
});

/** Paints all of it and returns the lines and the acknowledged numbers. */
async function painted(paints: Paint[]) {
  const term = new headless.Terminal({ cols: 20, rows: 4, allowProposedApi: true });
  const last = paints.at(-1)?.seq;
  const seqs: number[] = [];
  await new Promise<void>((resolve) => {
    const painter = new Painter(term);
    for (const paint of paints) {
      painter.add(paint, () => {
        seqs.push(paint.seq);
        if (paint.seq === last) resolve();
      });
    }
  });
  const lines: string[] = [];
  for (let y = 0; y < term.buffer.active.length; y++) {
    lines.push(term.buffer.active.getLine(y)?.translateToString(true) ?? '');
  }
  return { lines, seqs, cols: term.cols, rows: term.rows };
}

it('paints output in order and acknowledges each piece once', async () => {
  const { lines, seqs } = await painted([output(1, 'a'), output(2, 'b'), output(3, '\r\nc')]);
  expect(lines.slice(0, 2)).toEqual(['ab', 'c']);
  expect(seqs).toEqual([1, 2, 3]);
});

it('a repaint from nothing wipes screen, scrollback and an unfinished sequence, and takes the size', async () => {
  const { lines, cols, rows } = await painted([
    output(1, 'old\r\n'.repeat(30)),
    output(2, '\x1b]0;half a tit'),
    repaint(3, 30, 5, false, 'new'),
    output(4, '!'),
  ]);
  expect([cols, rows]).toEqual([30, 5]);
  expect(lines).toEqual(['new!', '', '', '', '']);
});

it('a catch-up keeps the scrollback that is there', async () => {
  const { lines } = await painted([
    output(1, 'a\r\nb\r\nc\r\nd\r\ne'),
    repaint(2, 20, 4, true, '\x1b[4;1H\r\nf\x1b[H\x1b[2Jf'),
  ]);
  expect(lines[0]).toBe('a');
  expect(lines).toContain('f');
});

it('output that comes while a repaint waits is painted after it', async () => {
  const { lines, seqs } = await painted([
    repaint(1, 20, 4, false, 'one'),
    output(2, ' two'),
    repaint(3, 20, 4, false, 'three'),
    output(4, ' four'),
  ]);
  expect(lines[0]).toBe('three four');
  expect(seqs.at(-1)).toBe(4);
});

it('a character cut in two by output or repaint is not lost', async () => {
  const dash = Uint8Array.of(0xe2, 0x80, 0x93);
  const { lines, seqs } = await painted([
    { type: 'output', seq: 1, bytes: dash.subarray(0, 2) },
    { type: 'output', seq: 2, bytes: dash.subarray(2) },
    { type: 'output', seq: 3, bytes: dash.subarray(0, 1) },
    { ...repaint(4, 20, 4, false, ''), bytes: dash.subarray(0, 2) } as Paint,
    { type: 'output', seq: 5, bytes: Uint8Array.of(0x93, 0x21) },
  ]);
  expect(lines[0]).toBe('–!');
  expect(seqs).toEqual([1, 2, 3, 4, 5]);
});

it('knows a repaint from output while it is parsed', async () => {
  const term = new headless.Terminal({ cols: 20, rows: 4, allowProposedApi: true });
  const painter = new Painter(term);
  const seen: boolean[] = [];
  term.parser.registerCsiHandler({ prefix: '?', final: 'h' }, () => {
    seen.push(painter.repainting);
    return false;
  });
  await new Promise<void>((resolve) => {
    painter.add(output(1, '\x1b[?1004h'), () => {});
    painter.add(repaint(2, 20, 4, true, '\x1b[?1004h'), () => {});
    painter.add(output(3, '\x1b[?1004h'), resolve);
  });
  expect(seen).toEqual([false, true, false]);
});
