import { expect, it } from 'vitest';
import golden from '../../tests/golden/actions.json';
import outcomes from '../../tests/golden/outcomes.json';
import { type Action, line, type Outcome, quote } from './actions.ts';

it('says every action in the words the golden file has for it', () => {
  expect(golden.actions.length).toBeGreaterThan(20);
  for (const entry of golden.actions) expect(line(entry.json as Action)).toBe(entry.line);
});

it('knows every outcome', () => {
  const known: Record<Outcome['outcome'], true> = {
    done: true,
    opened: true,
    closed: true,
    terminals: true,
    told: true,
    here: true,
    health: true,
    update: true,
  };
  expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(Object.keys(known)));
});

it('quotes what is no plain word', () => {
  expect(quote('büro')).toBe('büro');
  expect(quote('')).toBe("''");
  expect(quote('-n')).toBe("'-n'");
  expect(quote("it's\n\u0000\u001b\u202e")).toBe("'it\\'s\\n\\x00\\e\\u{202e}'");
});
