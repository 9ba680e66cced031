import { expect, it } from 'vitest';
import { lines } from './messages.ts';

it('keeps the lines of a message and takes out what could deceive', () => {
  expect(lines('one\ntwo')).toBe('one\ntwo');
  expect(lines('<b>bold</b> & "quotes"')).toBe('<b>bold</b> & "quotes"');
  expect(lines('a\u001b[31mb\u0007\u202ec\rd')).toBe('a[31mbcd');
  expect(lines('x\n'.repeat(20)).split('\n')).toHaveLength(12);
  expect(lines('ä'.repeat(600))).toHaveLength(512);
});
