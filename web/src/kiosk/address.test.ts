import { expect, it } from 'vitest';
import { lines, whereabouts } from './address.ts';
import { modules } from './qr.ts';

it.each([
  ['https://192.0.2.7/', ['192.0.2.7', '2001:db8::7'], ['https://192.0.2.7/']],
  // It started before there was a network.
  ['https://127.0.0.1:8443/', ['192.0.2.7'], ['https://192.0.2.7:8443/']],
  // It has moved since.
  ['https://192.0.2.7/', ['198.51.100.9'], ['https://198.51.100.9/']],
  ['https://192.0.2.7/', ['198.51.100.9', '192.0.2.7'], ['https://192.0.2.7/', 'https://198.51.100.9/']],
  ['https://127.0.0.1/', ['2001:db8::7'], ['https://[2001:db8::7]/']],
  ['https://[2001:db8::7]/', ['2001:db8::7'], ['https://[2001:db8::7]/']],
  ['https://kiosk.example/a/', ['192.0.2.7'], ['https://kiosk.example/a/']],
  // Not encrypted: for this machine alone.
  ['http://127.0.0.1:8722/', ['192.0.2.7'], []],
  ['https://127.0.0.1/', [], []],
  ['', ['192.0.2.7'], []],
])('%s with %j is at %j', (address, addresses, found) => {
  expect(whereabouts({ address, addresses })).toEqual(found);
});

it('a fingerprint is four lines', () => {
  const fingerprint = Array.from({ length: 32 }, (_, at) => (at + 16).toString(16).toUpperCase()).join(':');
  expect(lines(fingerprint)).toHaveLength(4);
  expect(lines(fingerprint)[0]).toBe('10 11 12 13 14 15 16 17');
});

it('runs of black modules are one rectangle each', () => {
  expect(
    modules([
      [false, true, true],
      [true, false, true],
    ]),
  ).toBe('M1 0h2v1h-2zM0 1h1v1h-1zM2 1h1v1h-1z');
});
