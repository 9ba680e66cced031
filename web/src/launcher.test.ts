import { expect, it } from 'vitest';
import { tilesOf } from './launcher.ts';

const commands = [
  { name: 'mail', description: 'Mail', icon: 'envelope' },
  { name: 'top', description: 'What the machine\u202e is doing', icon: '📈' },
];

it('what opens by itself comes first, and the shell only where it is offered', () => {
  const names = (shell: boolean, first: string | null) =>
    tilesOf({ commands, shell, default: first }).map(({ label }) => label);
  expect(names(true, null)).toEqual(['Shell', 'mail', 'top']);
  expect(names(true, 'top')).toEqual(['top', 'mail']);
  expect(names(false, null)).toEqual(['mail', 'top']);
});

it('an icon is a character or two, else the first letter; nothing deceptive is shown', () => {
  const [mail, top] = tilesOf({ commands, shell: false, default: null });
  expect(mail?.icon).toBe('M');
  expect(top?.icon).toBe('📈');
  expect(top?.description).not.toContain('\u202e');
});
