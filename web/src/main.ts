// Where the page starts: takes the one-time token out of the address, logs in, shows terminals.
import '@xterm/xterm/css/xterm.css';
import * as api from './api.ts';
import { App } from './app.ts';
import { h } from './dom.ts';
import { askForLogin, startKiosk } from './kiosk/index.ts';
import { loggedInAgain, startClock, tokenAhead } from './link.ts';
import { LoginForm, others, vouched } from './login.ts';

/** Pause before asking an unreachable server again, in ms. */
const AGAIN = 1000;

const root = document.body;

/** The token must not stay in the address: history, bookmarks and screenshots would keep it. */
function takeToken(): string | null {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const token = wanted.get('token');
  if (token !== null) {
    wanted.delete('token');
    const rest = wanted.toString();
    history.replaceState(null, '', `${location.pathname}${location.search}${rest ? `#${rest}` : ''}`);
  }
  return token;
}

/** The same for what another application vouches with. */
function takeVouched(): ReturnType<typeof vouched> {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const found = vouched(wanted);
  if (found !== null) history.replaceState(null, '', `${location.pathname}${location.search}`);
  return found;
}

let app: App | null = null;
/** The server is being asked whether somebody is logged in. */
let asking = false;

/** The administrator's page on the kiosk's own screen may need a keyboard; the login before it, too. */
async function pageKeys(): Promise<void> {
  const keys = new URLSearchParams(location.hash.slice(1)).get('keys');
  if (keys === null) return;
  const { startPageKeys } = await import('./kiosk/page-keys.ts');
  startPageKeys(keys);
}

async function start(): Promise<void> {
  const token = takeToken();
  const from = takeVouched();
  const wanted = new URLSearchParams(location.hash.slice(1));
  const kiosk = wanted.get('kiosk') === '1';
  if (kiosk) document.documentElement.classList.add('kiosk');
  let refused = false;
  for (;;) {
    try {
      if (token !== null && !refused) await api.login(token);
      if (from !== null && !refused) {
        if ('token' in from) await api.loginWithToken(from.token);
        else await api.loginWithObject(from.object);
      }
      // Where people log in at the kiosk, nobody has yet.
      if (wanted.get('login') !== '1') tokenAhead();
      if (kiosk) {
        startKiosk(root);
        return;
      }
      if (new URLSearchParams(location.hash.slice(1)).has('admin')) {
        const { administer } = await import('./admin.ts');
        await administer(root, () => location.reload());
        return;
      }
      const terminals = await api.list();
      document.querySelector('.sheet.alone')?.remove();
      if (!app) app = new App(root, terminals, (then) => void loggedOut(then));
      return;
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (error.status === 401) {
        // A used token doesn't matter to a browser that is logged in already.
        if ((token !== null || from !== null) && !refused) {
          refused = true;
          continue;
        }
        if (kiosk) askForLogin();
        else void loggedOut();
        return;
      }
      if (!kiosk) sheet('Connecting…', 'The server does not answer yet. This page goes on by itself.');
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}

/**
 * Asks who it is, by whatever way is open here. The terminals go on meanwhile. With `then`, somebody who is
 * logged in is asked again, for that, and may think better of it.
 */
async function loggedOut(then?: () => void): Promise<void> {
  if (asking || document.querySelector('.logged-out')) return;
  if (!then) {
    // What says so may have crossed a login made meanwhile: then there is nothing to ask.
    asking = true;
    const known = await api.loggedIn().catch(() => false);
    asking = false;
    if (known) {
      if (app) loggedInAgain();
      else void start();
      return;
    }
  }
  const meanwhile = app ? 'Your terminals go on meanwhile.' : location.host;
  const page = sheet(
    app ? 'Log in again' : 'Log in',
    then ? `Opening another terminal needs your password again. ${meanwhile}` : meanwhile,
  );
  page.classList.add('logged-out');
  // A page to work with, not something to be read out whole.
  page.setAttribute('role', 'main');
  page.querySelector('h1')?.setAttribute('id', 'login-title');
  const look = async () => {
    if (!(await api.loggedIn().catch(() => false))) return;
    page.remove();
    if (app) loggedInAgain();
    else void start();
    then?.();
  };
  if (!then) {
    // Another tab may log in meanwhile: the cookie is shared.
    const timer = setInterval(() => (page.isConnected ? void look() : clearInterval(timer)), 5000);
  }
  let ways: api.WayIn[] | null = null;
  while (ways === null && page.isConnected) {
    ways = await api.ways().catch(() => null);
    if (ways === null) await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
  const asked = ways?.some(({ way }) => way === 'pam' || way === 'local') ?? false;
  const elsewhere = others(ways ?? [], () => void look());
  if (asked) {
    const form = new LoginForm(() => void look());
    page.append(form.element);
    form.focus();
  }
  if (elsewhere) page.append(elsewhere);
  if (then) page.append(h('button', { textContent: 'Not now', onclick: () => page.remove() }));
  if (asked || elsewhere) return;
  page.append(
    h('p', {}, 'On the machine that runs Gatepost, type'),
    h('pre', { textContent: 'gatepost url' }),
    h('p', {}, 'and open the address it prints. It is good for a few seconds, and once.'),
    h('button', { textContent: 'Look again', onclick: () => void look() }),
  );
}

function sheet(title: string, text: string): HTMLElement {
  document.querySelector('.sheet.alone')?.remove();
  const page = h('div', { className: 'sheet alone', attrs: { role: 'alert' } });
  page.append(h('h1', { textContent: title }), h('p', { textContent: text }));
  root.append(page);
  return page;
}

addEventListener('hashchange', () => {
  // A fresh login address pasted into the same tab changes only the fragment.
  const token = takeToken();
  if (token === null) return;
  void api.login(token).then(
    () => {
      document.querySelector('.sheet.alone')?.remove();
      if (app) loggedInAgain();
      else void start();
    },
    () => {},
  );
});

startClock();
void pageKeys();
start().catch((error: unknown) => {
  // A browser that lacks something shows what, instead of nothing.
  sheet('This page could not start', `${String(error)}. It needs a browser of 2023 or later.`);
  throw error;
});
