// The settings sheet. Each change acts at once, so that it can be seen while choosing.
import { ask } from './dialogs.ts';
import { h } from './dom.ts';
import { HELD, HELD_LABELS } from './keys.ts';
import { clampFont, DEFAULTS, FONT_MAX, FONT_MIN, type Settings } from './settings.ts';
import { THEME_LABELS, THEMES } from './themes.ts';

export async function showSettings(current: Settings, change: (settings: Settings) => void): Promise<void> {
  let settings = current;
  const set = (part: Partial<Settings>) => {
    settings = { ...settings, ...part };
    change(settings);
  };
  const theme = h('select', {
    onchange: () => set({ theme: THEMES.find((name) => name === theme.value) ?? 'auto' }),
    attrs: { name: 'theme' },
  });
  for (const name of THEMES)
    theme.append(new Option(THEME_LABELS[name], name, false, name === settings.theme));

  const size = h('output', { textContent: `${settings.fontSize} px` });
  const resize = (by: number) => {
    set({ fontSize: clampFont(settings.fontSize + by) });
    size.textContent = `${settings.fontSize} px`;
  };
  const keyBar = h('select', {
    onchange: () => set({ keyBar: keyBar.value === 'on' ? 'on' : keyBar.value === 'off' ? 'off' : 'auto' }),
    attrs: { name: 'key-bar' },
  });
  for (const [value, label] of [
    ['auto', 'On touch screens'],
    ['on', 'Always'],
    ['off', 'Never'],
  ] as const) {
    keyBar.append(new Option(label, value, false, value === settings.keyBar));
  }
  const held = h('select', {
    onchange: () => set({ held: HELD.find((value) => value === held.value) ?? 'ctrl-alt' }),
    attrs: { name: 'held' },
  });
  for (const value of HELD)
    held.append(new Option(HELD_LABELS[value], value, false, value === settings.held));
  const tick = (key: 'flash' | 'screenReader' | 'ctrlVPastes', label: string, hint: string) => {
    const box = h('input', {
      type: 'checkbox',
      checked: settings[key],
      onchange: () => set({ [key]: box.checked }),
    });
    return h('label', { className: 'tick' }, box, h('span', {}, label, h('small', { textContent: hint })));
  };
  const again = await ask(
    'Settings',
    [
      h('label', { className: 'row' }, 'Colours', theme),
      h(
        'div',
        { className: 'row' },
        'Type size',
        h(
          'span',
          { className: 'stepper' },
          h('button', {
            textContent: '−',
            onclick: () => resize(-1),
            attrs: { 'aria-label': `Smaller, down to ${FONT_MIN}` },
          }),
          size,
          h('button', {
            textContent: '+',
            onclick: () => resize(1),
            attrs: { 'aria-label': `Larger, up to ${FONT_MAX}` },
          }),
        ),
      ),
      h('label', { className: 'row' }, 'Key bar', keyBar),
      h('label', { className: 'row' }, 'Shortcuts of this page', held),
      tick('flash', 'Flash on a bell', 'The tab is marked either way.'),
      tick('ctrlVPastes', 'Ctrl-V pastes', 'Otherwise it reaches the program, and Ctrl-Shift-V pastes.'),
      tick('screenReader', 'Screen reader', 'Keeps a readable copy of the screen; slower with much output.'),
      h('p', { className: 'hint', textContent: 'Kept for you, in this browser and others.' }),
    ],
    [{ label: 'Restore defaults', value: true }],
    { cancel: 'Done', focus: theme, plain: true },
  );
  if (again) change(DEFAULTS);
}
