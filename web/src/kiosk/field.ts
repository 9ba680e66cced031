// Typing with the on-screen keyboard into a field of the page itself: a name, a password.
import type { Name } from './layouts.ts';

export type Field = HTMLInputElement | HTMLTextAreaElement;

/** Kinds of input that hold text. */
const TEXT = new Set(['text', 'password', 'search', 'email', 'url', 'tel', 'number']);

/** The field that has the keys, if it is one of the page's own and not the terminal's. */
export function fieldInUse(): Field | null {
  const found = document.activeElement;
  if (found instanceof HTMLTextAreaElement && !found.classList.contains('xterm-helper-textarea'))
    return found;
  return found instanceof HTMLInputElement && TEXT.has(found.type) ? found : null;
}

/** Puts text where the caret is. */
export function insert(field: Field, text: string): void {
  if (field.readOnly || field.disabled) return;
  const [start, end] = [field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length];
  const { maxLength } = field;
  if (maxLength >= 0 && field.value.length - (end - start) + text.length > maxLength) return;
  field.setRangeText(text, start, end, 'end');
  field.dispatchEvent(new InputEvent('input', { bubbles: true, data: text, inputType: 'insertText' }));
}

function remove(field: Field, forward: boolean): void {
  if (field.readOnly || field.disabled) return;
  let [start, end] = [field.selectionStart ?? 0, field.selectionEnd ?? 0];
  if (start === end) {
    const [before, after] = [field.value.slice(0, start), field.value.slice(end)];
    // A whole character, however many units it has.
    if (forward) end += [...after][0]?.length ?? 0;
    else start -= [...before].at(-1)?.length ?? 0;
  }
  field.setRangeText('', start, end, 'end');
  const inputType = forward ? 'deleteContentForward' : 'deleteContentBackward';
  field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType }));
}

/** What a key with a name does in a field. */
export function act(field: Field, name: Name, shift: boolean): void {
  const place = (to: number) => field.setSelectionRange(to, to);
  const at = field.selectionStart ?? 0;
  switch (name) {
    case 'Backspace':
      remove(field, false);
      break;
    case 'Delete':
      remove(field, true);
      break;
    case 'Left':
      place(Math.max(0, at - 1));
      break;
    case 'Right':
      place(at + 1);
      break;
    case 'Home':
      place(0);
      break;
    case 'End':
      place(field.value.length);
      break;
    case 'Enter':
      if (field instanceof HTMLTextAreaElement) insert(field, '\n');
      else field.form?.requestSubmit();
      break;
    case 'Escape':
      field.closest('dialog')?.requestClose?.();
      break;
    case 'Tab':
      step(field, shift ? -1 : 1);
      break;
    default:
  }
}

/** Goes to the next thing that takes keys, as Tab does. */
function step(field: Field, by: 1 | -1): void {
  const around = field.closest('dialog') ?? document.body;
  const found = around.querySelectorAll<HTMLElement>('input, textarea, select, button, a[href]');
  const all = [...found].filter(
    (one) => one.tabIndex >= 0 && one.offsetParent !== null && !one.matches(':disabled'),
  );
  all[(all.indexOf(field) + by + all.length) % all.length]?.focus();
}
