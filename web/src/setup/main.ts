// The page of the set-up access point.
import { h } from '../dom.ts';
import { type Form, look, take } from './api.ts';
import { SetupForm } from './form.ts';

function show(...content: (Node | string)[]): void {
  document.body.replaceChildren(h('main', {}, h('h1', { textContent: 'Set up this machine' }), ...content));
}

function done({ ssid }: Form): void {
  const text = ssid
    ? `It now tries the network ${ssid}; this access point goes away. If the network can’t be had, it comes back, and the machine’s screen says why.`
    : 'It is as you said.';
  show(h('p', { className: 'done', textContent: text }));
}

async function start(): Promise<void> {
  show(h('p', { textContent: 'Looking for networks…' }));
  const state = await look();
  if (state.for.who === 'nobody') {
    show(h('p', { textContent: 'This machine is set up by files on its card.' }));
    return;
  }
  const form = new SetupForm(state, { send: take, done });
  show(form.element);
  form.focus();
}

start().catch(() => show(h('p', { textContent: 'The machine does not answer. Load the page again.' })));
