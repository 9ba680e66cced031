import { expect, it } from 'vitest';
import { chord, commandOf, type Stroke, shortcuts } from './keys.ts';

const stroke = (text: string, altGraph = false): Stroke => {
  const parts = text.split('-');
  return {
    code: parts.at(-1) ?? '',
    ctrlKey: parts.includes('C'),
    altKey: parts.includes('A'),
    shiftKey: parts.includes('S'),
    metaKey: parts.includes('M'),
    altGraph,
  };
};

it('the listed chords are commands', () => {
  const table: [string, string][] = [
    ['C-A-KeyN', 'new'],
    ['C-A-KeyW', 'close'],
    ['C-A-KeyG', 'overview'],
    ['C-A-ArrowLeft', 'previous'],
    ['C-A-ArrowRight', 'next'],
    ['C-A-Digit3', 'tab-3'],
    ['S-F1', 'help'],
    ['C-S-KeyC', 'copy'],
    ['C-S-KeyV', 'paste'],
    ['S-Insert', 'paste'],
  ];
  for (const [text, command] of table) expect(commandOf(stroke(text), false, false), text).toBe(command);
});

it('what programs want reaches them', () => {
  for (const text of [
    'C-KeyC',
    'C-KeyV',
    'C-KeyW',
    'F1',
    'A-KeyN',
    'C-ArrowLeft',
    'S-ArrowLeft',
    'C-A-S-KeyN',
    'C-Insert',
  ]) {
    expect(commandOf(stroke(text), false, false), text).toBeNull();
  }
});

it('Ctrl-C copies only when something is selected', () => {
  expect(commandOf(stroke('C-KeyC'), true, false)).toBe('copy');
});

it('Ctrl-V pastes only for those who chose so', () => {
  expect(commandOf(stroke('C-KeyV'), false, true)).toBe('paste');
});

it('AltGr makes letters, not commands', () => {
  expect(commandOf(stroke('C-A-KeyN', true), false, false)).toBeNull();
});

it('what is held down can be chosen, or nothing is a shortcut', () => {
  const of = (text: string, held: 'ctrl-alt-shift' | 'none') => commandOf(stroke(text), false, false, held);
  expect(of('C-A-KeyN', 'ctrl-alt-shift')).toBe(null);
  expect(of('C-A-S-KeyN', 'ctrl-alt-shift')).toBe('new');
  expect(of('C-A-S-Digit3', 'ctrl-alt-shift')).toBe('tab-3');
  expect(of('C-A-KeyN', 'none')).toBe(null);
  // What is no chord of the page's own stays.
  expect(of('S-F1', 'none')).toBe('help');
  expect(chord('N', 'ctrl-alt-shift')).toBe('Ctrl-Alt-Shift-N');
  const listed = (held: 'ctrl-alt' | 'none') => shortcuts(held).map(([keys]) => keys);
  expect(listed('ctrl-alt')).toContain('Ctrl-Alt-N');
  expect(listed('none').filter((keys) => keys.startsWith('Ctrl-Alt'))).toEqual([]);
  expect(listed('none')).toContain('Shift-F1');
});
