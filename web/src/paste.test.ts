import { expect, it } from 'vitest';
import { bytesOf, clean, oneLine, risky } from './paste.ts';

const typed = (raw: string, bracketed: boolean) => new TextDecoder().decode(bytesOf(clean(raw), bracketed));

it('a paste cannot end its own brackets or steer the terminal', () => {
  expect(typed('a\x1b[201~rm -rf /\r', true)).toBe('\x1b[200~a[201~rm -rf /\r\x1b[201~');
  expect(typed('x\u009b201~y\x03\x04\x7f', true)).toBe('\x1b[200~x201~y\x1b[201~');
  expect(clean('a\x1bb').stripped).toBe(true);
});

it('tabs, letters of every script and line ends survive', () => {
  expect(typed('\tä漢🦀\r\nb', false)).toBe('\tä漢🦀\rb');
});

it('blanks at line ends go only when there are several lines', () => {
  expect(clean('a  \nb  ').text).toBe('a\nb');
  expect(clean('a  ').text).toBe('a  ');
  expect(clean('a  \n').stripped).toBe(false);
});

it('a person is asked when a line end would run something', () => {
  expect(risky(clean('ls'), false)).toBe(false);
  expect(risky(clean('ls\n'), false)).toBe(true);
  expect(risky(clean('a\nb'), true)).toBe(false);
});

it('lines are counted as a person counts them', () => {
  expect(clean('a\nb\n').lines).toBe(2);
  expect(clean('a').lines).toBe(1);
});

it('several lines can become one', () => {
  expect(oneLine(clean('a \\\n  b\n')).text).toBe('a \\ b');
});
