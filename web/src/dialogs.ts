// Questions to the person, as the browser's own <dialog>: it traps focus, and Esc means no.
import { h } from './dom.ts';

/** An answer to choose. The first is the main one. */
export interface Choice<T> {
  label: string;
  value: T;
  danger?: boolean;
}

/** Asks and waits; `null` when dismissed. With `plain` no choice is the main one, but leaving is. */
export function ask<T>(
  title: string,
  content: (Node | string)[],
  choices: Choice<T>[],
  options: { focus?: HTMLElement; wide?: boolean; plain?: boolean; cancel?: string } = {},
): Promise<T | null> {
  return new Promise((resolve) => {
    let answer: T | null = null;
    const heading = h('h2', { id: 'dialog-title', textContent: title });
    const buttons = choices.map((choice, index) =>
      h('button', {
        textContent: choice.label,
        className: choice.danger ? 'danger' : index === 0 && !options.plain ? 'main' : '',
        onclick: () => {
          answer = choice.value;
          dialog.close();
        },
      }),
    );
    const cancel = h('button', {
      textContent: options.cancel ?? 'Cancel',
      className: options.plain ? 'main' : '',
      onclick: () => dialog.close(),
    });
    // The first is drawn in the corner.
    const row = options.plain ? [cancel, ...buttons] : [...buttons, cancel];
    const dialog = h(
      'dialog',
      {
        className: options.wide ? 'wide' : '',
        attrs: { 'aria-labelledby': 'dialog-title' },
        onclose: () => {
          dialog.remove();
          resolve(answer);
        },
        // A click on the backdrop hits the dialog itself, not what is in it.
        onclick: (event) => {
          if (event.target === dialog) dialog.close();
        },
      },
      h('div', { className: 'sheet' }, heading, ...content, h('div', { className: 'choices' }, ...row)),
    );
    dialog.addEventListener('keydown', (event) => {
      // Keys belong to the dialog, not to a terminal's shortcuts; Enter in a field is the main answer.
      event.stopPropagation();
      if (event.key === 'Enter' && event.target instanceof HTMLInputElement) buttons[0]?.click();
    });
    document.body.append(dialog);
    dialog.showModal();
    (options.focus ?? buttons[0] ?? cancel).focus();
  });
}

/** Asks for a line of text; `null` when dismissed. */
export async function askText(
  title: string,
  label: string,
  value: string,
  limit: number,
  hint: string,
): Promise<string | null> {
  const input = h('input', { type: 'text', value, maxLength: limit, autocomplete: 'off', spellcheck: false });
  const answer = ask(
    title,
    [h('label', {}, label, input), h('p', { className: 'hint', textContent: hint })],
    [{ label: 'OK', value: true }],
    { focus: input },
  );
  input.select();
  return (await answer) ? input.value.trim() : null;
}
