import { expect, it } from 'vitest';
import { factsOf, span } from './about.ts';

const known = {
  id: 'kugrlmlxnj',
  viewer: 2,
  keeper: '0.1.0',
  roundTrip: 0.4,
  now: 10_000_000,
  meta: {
    name: null,
    title: 'a\u202etitle',
    command: ['/bin/bash'],
    labels: { desk: 'by the \u202ewindow' },
    size: { cols: 80, rows: 24 },
    size_owner: 1,
    viewers: [
      { viewer: 1, label: '', mode: 'type' as const, kiosk: true },
      { viewer: 2, label: 'browser', mode: 'type' as const, kiosk: false },
    ],
    opened: 6400,
    scrollback: 12,
  },
};

it('a terminal is told by what is known of it, and by nothing that isn’t', () => {
  const facts = new Map(factsOf(known));
  expect(facts.has('Name')).toBe(false);
  expect(facts.get('Program’s title')).not.toContain('\u202e');
  expect(facts.get('desk')).toMatch(/^by the .*window$/);
  expect(facts.get('desk')).not.toContain('\u202e');
  expect(facts.get('Size')).toBe('80 columns × 24 rows, decided by the kiosk');
  expect(facts.get('Opened')).toBe('1 hour ago');
  expect(facts.get('Watched by')).toBe('this page and 1 more');
  expect(facts.get('Answers within')).toBe('1 ms');
  expect(new Map(factsOf({ ...known, roundTrip: null })).has('Answers within')).toBe(false);
  expect(new Map(factsOf({ ...known, viewer: 1 })).get('Size')).toMatch(/decided by this screen$/);
});

it('spans are said in their largest unit', () => {
  for (const [seconds, words] of [
    [0, 'a moment'],
    [-5, 'a moment'],
    [1, '1 second'],
    [119, '1 minute'],
    [7200, '2 hours'],
    [200_000, '2 days'],
  ] as const)
    expect(span(seconds)).toBe(words);
});
