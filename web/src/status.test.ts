import { expect, it } from 'vitest';
import { IDLE } from './connection.ts';
import { wordFor } from './status.ts';

it('every state has its honest word', () => {
  const live = { ...IDLE, phase: 'live' as const };
  expect(wordFor(live, false, false).text).toBe('live');
  expect(wordFor(live, false, true).text).toBe('catching up');
  expect(wordFor(live, true, true).text).toBe('ended');
  expect(wordFor({ ...IDLE, phase: 'connecting' }, false, false).text).toBe('connecting');
  expect(wordFor({ ...IDLE, phase: 'connecting', wasLive: true }, false, false).text).toBe('offline');
  expect(wordFor({ ...IDLE, phase: 'lost' }, true, false).text).toBe('offline');
});
