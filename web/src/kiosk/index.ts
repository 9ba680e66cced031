// The page on the kiosk's own screen starts here: its terminal, and what stands around it.
import { followScreen } from '../events.ts';
import { Access } from './access.ts';
import { Identity } from './identity.ts';
import { Kiosk } from './kiosk.ts';
import { showMistakes } from './mistakes.ts';
import { point } from './pointer.ts';
import { SetUp } from './setup.ts';
import { Sign } from './sign.ts';
import { Teller } from './told.ts';
import { askForLogin, beat } from './window.ts';

export { askForLogin } from './window.ts';

export function startKiosk(root: HTMLElement): void {
  document.documentElement.classList.add('kiosk');
  beat();
  const wanted = new URLSearchParams(location.hash.slice(1));
  point(wanted.get('cursor'));
  const teller = new Teller();
  const logsIn = wanted.get('login') === '1';
  const kiosk = new Kiosk(root, teller, logsIn);
  teller.on((told) => {
    // Another page than this one: the window asks for its address.
    if (told.kiosk.login !== logsIn) askForLogin();
  });
  const access = new Access(root, kiosk);
  kiosk.left = () => access.rest();
  access.listen(teller);
  const setUp = new SetUp(root, teller);
  const identity = new Identity(root, teller, () => void setUp.open());
  new Sign(root, teller);
  void showMistakes(kiosk);
  void kiosk.start();
  followScreen({
    out: askForLogin,
    // Whoever administers it may want this page loaded anew.
    reload: () => location.reload(),
    told: (told) => teller.tell(told),
    identity: () => void identity.show(),
    pressed: (order) => kiosk.answered() || access.order(order),
  }).start();
}
