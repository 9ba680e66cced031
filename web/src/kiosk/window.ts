// The window around the page, when there is one: it looks after the page, and the page tells it how it is.

/** How often the page says that it lives, in ms. The window replaces one that is silent for 8 s. */
const BEAT = 1000;

/** The window around the page, when there is one: it looks after the page. */
interface Window_ {
  ipc?: { postMessage(message: string): void };
}

/** Says one of the words of `src/wire/kiosk.rs` to the window. */
export function say(word: 'beat' | 'painted' | 'login' | 'forget'): void {
  (window as Window_).ipc?.postMessage(word);
}

/** Tells the window that this page's login is gone, so that it loads a fresh address. */
export function askForLogin(): void {
  say('login');
}

/** Says again and again that the page lives, which is: that it runs and gets to paint. */
export function beat(): void {
  const now = () => requestAnimationFrame(() => say('beat'));
  setInterval(now, BEAT);
  now();
}
