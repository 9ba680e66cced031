import { expect, it } from 'vitest';
import { onOutput, onTick, SILENCE, watch } from './activity.ts';

it('tells once that a terminal got active, and again after it was silent', () => {
  let [state, tell] = onOutput(watch('active'), 0, false);
  expect(tell).toBe(true);
  [state, tell] = onOutput(state, 100, false);
  expect(tell).toBe(false);
  [state, tell] = onOutput(state, 100 + SILENCE, false);
  expect(tell).toBe(true);
});

it('does not tell what the person sees', () => {
  const [state, tell] = onOutput(watch('active'), 0, true);
  expect(tell).toBe(false);
  expect(onOutput(state, 10, false)[1]).toBe(true);
});

it('tells that it fell silent ten seconds after the last output, once', () => {
  let [state] = onOutput(watch('silent'), 0, true);
  let tell: boolean;
  [state, tell] = onTick(state, SILENCE - 1);
  expect(tell).toBe(false);
  [state, tell] = onTick(state, SILENCE);
  expect(tell).toBe(true);
  [state, tell] = onTick(state, SILENCE * 3);
  expect(tell).toBe(false);
  [state] = onOutput(state, SILENCE * 4, true);
  [, tell] = onTick(state, SILENCE * 5);
  expect(tell).toBe(true);
});

it('a terminal that said nothing since has not fallen silent', () => {
  expect(onTick(watch('silent'), 1e9)[1]).toBe(false);
});
