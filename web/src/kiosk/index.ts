// The page on the kiosk's own screen starts here: its terminal, and what stands around it.
import { follow } from '../events.ts';
import { showFreshPassword } from './fresh-password.ts';
import { Kiosk } from './kiosk.ts';
import { point } from './pointer.ts';
import { Teller } from './told.ts';
import { beat } from './window.ts';

export { askForLogin } from './window.ts';

export function startKiosk(root: HTMLElement): void {
  document.documentElement.classList.add('kiosk');
  beat();
  point(new URLSearchParams(location.hash.slice(1)).get('cursor'));
  const teller = new Teller();
  void showFreshPassword(root);
  void new Kiosk(root, teller).start();
  follow({
    listed: () => {},
    changed: () => {},
    // Whoever administers it may want this page loaded anew.
    reload: () => location.reload(),
    told: (told) => teller.tell(told),
  }).start();
}
