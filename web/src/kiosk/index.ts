// The page on the kiosk's own screen starts here: its terminal, and what stands around it.
import { follow } from '../events.ts';
import { Access } from './access.ts';
import { Identity } from './identity.ts';
import { Kiosk } from './kiosk.ts';
import { showMistakes } from './mistakes.ts';
import { point } from './pointer.ts';
import { SetUp } from './setup.ts';
import { Sign } from './sign.ts';
import { Teller } from './told.ts';
import { beat } from './window.ts';

export { askForLogin } from './window.ts';

export function startKiosk(root: HTMLElement): void {
  document.documentElement.classList.add('kiosk');
  beat();
  point(new URLSearchParams(location.hash.slice(1)).get('cursor'));
  const teller = new Teller();
  const kiosk = new Kiosk(root, teller);
  const access = new Access(root, kiosk);
  kiosk.left = () => access.rest();
  access.listen(teller);
  const setUp = new SetUp(root, teller);
  const identity = new Identity(root, teller, () => void setUp.open());
  new Sign(root, teller);
  void showMistakes(kiosk);
  void kiosk.start();
  follow({
    listed: () => {},
    changed: () => {},
    // Whoever administers it may want this page loaded anew.
    reload: () => location.reload(),
    told: (told) => teller.tell(told),
    identity: () => void identity.show(),
    pressed: (order) => kiosk.answered() || access.order(order),
  }).start();
}
