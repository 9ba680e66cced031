import { expect, it } from 'vitest';
import { modify } from './keybar.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

it('a sticky Ctrl makes control characters', () => {
  const table: [string, string][] = [
    ['c', '\x03'],
    ['C', '\x03'],
    ['[', '\x1b'],
    [' ', '\0'],
    ['?', '\x7f'],
    ['\x1b[D', '\x1b[1;5D'],
    ['\x1bOC', '\x1b[1;5C'],
    ['1', '1'],
    ['ä', 'ä'],
  ];
  for (const [typed, sent] of table) expect(text(modify(bytes(typed), true, false)), typed).toBe(sent);
});

it('a sticky Alt puts an escape in front', () => {
  expect(text(modify(bytes('b'), false, true))).toBe('\x1bb');
  expect(text(modify(bytes('c'), true, true))).toBe('\x1b\x03');
});
