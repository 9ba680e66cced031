import headless from '@xterm/headless';
import { expect, it } from 'vitest';
import { guardErase, unfinishedLength } from './repairs.ts';

it('an unfinished character is told from a whole one and from nonsense', () => {
  const lengths = (...list: number[][]) => list.map((bytes) => unfinishedLength(Uint8Array.from(bytes)));
  expect(lengths([], [0x61], [0xc3, 0xa4], [0xe2, 0x80, 0x93], [0xf0, 0x9f, 0x98, 0x80])).toEqual([
    0, 0, 0, 0, 0,
  ]);
  expect(lengths([0xc3], [0x61, 0xe2], [0xe2, 0x80], [0xf0, 0x9f, 0x98])).toEqual([1, 1, 2, 3]);
  expect(lengths([0x80], [0x80, 0x80, 0x80, 0x80], [0xff], [0xc3, 0x61])).toEqual([0, 0, 0, 0]);
});

it('erasing up to the last cell of the alternate screen leaves the terminal alive', async () => {
  const term = new headless.Terminal({ cols: 10, rows: 3, allowProposedApi: true });
  guardErase(term as never);
  await new Promise<void>((resolve) => term.write('\x1b[?1049htext\x1b[99;99Hx\x1b[1J', resolve));
  await new Promise<void>((resolve) => term.write('\x1b[Halive', resolve));
  const line = (y: number) => term.buffer.active.getLine(y)?.translateToString(true);
  expect([line(0), line(2)]).toEqual(['alive', '']);
});
