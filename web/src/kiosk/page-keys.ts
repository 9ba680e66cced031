// The keyboard on the screen for the administrator's page, which is no kiosk's page but stands on the same screen.
import { follow, Keyboard } from './keyboard.ts';
import { layoutNamed } from './layouts.ts';

/** Shows it as the window says in the page's address: `touch-de`, `always-us`. */
export function startPageKeys(keys: string): void {
  const [when, layout] = keys.split('-');
  // Without a field there is nothing to type into.
  const nowhere = { type: () => {}, applicationCursor: () => false };
  const always = when === 'always';
  // Beside the page's body, whose content comes and goes.
  const home = document.documentElement;
  const keyboard = new Keyboard(nowhere, layoutNamed(layout), always ? 'always' : 'touch', home);
  document.body.classList.add('with-keys');
  if (!always) follow(keyboard, new AbortController().signal);
}
