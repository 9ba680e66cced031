// The administrator's first password, shown on the machine's own screen and nowhere else.
import * as api from '../api.ts';
import { h } from '../dom.ts';
import { say } from './window.ts';

/** Shows the administrator's first password until somebody in front of this screen has noted it. */
export async function showFreshPassword(root: HTMLElement): Promise<void> {
  const fresh = await api.freshPassword().catch(() => null);
  if (!fresh) return;
  const shown = await api.certificate().catch(() => null);
  const noted = h('button', { textContent: 'I have noted it' });
  // Modal: the terminal underneath can't take the keys, however often it asks for them.
  const sheet = h(
    'dialog',
    {
      className: 'fresh-password',
      attrs: { 'aria-labelledby': 'fresh-title' },
      oncancel: (event) => event.preventDefault(),
    },
    h('h1', { id: 'fresh-title', textContent: 'The administrator of this machine' }),
    h(
      'dl',
      {},
      h('dt', { textContent: 'Name' }),
      h('dd', { textContent: fresh.user }),
      h('dt', { textContent: 'Password' }),
      h('dd', { textContent: fresh.password }),
      shown && h('dt', { textContent: 'Address' }),
      shown && h('dd', { textContent: shown.address }),
      shown && h('dt', { textContent: 'Fingerprint of its certificate (SHA-256)' }),
      shown && h('dd', { className: 'fingerprint', textContent: shown.fingerprint }),
    ),
    h('p', {
      textContent:
        'It was made for this machine, and is shown here until it is noted or used, and never again.',
    }),
    noted,
  );
  sheet.addEventListener('keydown', (event) => event.stopPropagation());
  const away = () => sheet.remove();
  noted.onclick = () => void api.passwordNoted().then(away, away);
  root.append(sheet);
  sheet.showModal();
  say('painted');
  noted.focus();
  // Whoever logs in with it has it.
  const timer = setInterval(() => {
    if (!sheet.isConnected) return clearInterval(timer);
    void api.freshPassword().then(
      (still) => still === null && away(),
      () => {},
    );
  }, 5000);
}
