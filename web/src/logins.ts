// "Where am I logged in": one's own logins, and a button to end each.
import * as api from './api.ts';
import { ask } from './dialogs.ts';
import { h } from './dom.ts';

/** Browsers call themselves a dozen things at once; what a person calls them. Pure. */
export function browserName(agent: string): string {
  const browsers: [RegExp, string][] = [
    [/Edg\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\//, 'Firefox'],
    [/Chrom(e|ium)\//, 'Chrome'],
    [/Safari\//, 'Safari'],
    [/^gatepost/i, 'gatepost --host'],
  ];
  const systems: [RegExp, string][] = [
    [/Android/, 'Android'],
    [/iPhone|iPad/, 'iOS'],
    [/Windows/, 'Windows'],
    [/Mac OS X/, 'macOS'],
    [/CrOS/, 'ChromeOS'],
    [/Linux/, 'Linux'],
  ];
  const find = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = find(browsers);
  const system = find(systems);
  if (!browser) return agent === '' ? 'A program' : agent.slice(0, 60);
  return system ? `${browser} on ${system}` : browser;
}

/** How long ago, in the largest unit that says something. Pure. */
export function ago(seconds: number, now: number): string {
  const age = Math.max(0, Math.floor(now - seconds));
  const [count, unit] =
    age < 60
      ? [0, '']
      : age < 3600
        ? [Math.floor(age / 60), 'minute']
        : age < 86400
          ? [Math.floor(age / 3600), 'hour']
          : [Math.floor(age / 86400), 'day'];
  return count === 0 ? 'just now' : `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

/** The dialog; `tell` says what went wrong. */
export async function showLogins(tell: (text: string) => void): Promise<void> {
  let logins: api.LoginInfo[];
  try {
    logins = await api.logins();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    return;
  }
  const now = Date.now() / 1000;
  const items = logins.map((login) => {
    const end = h('button', {
      textContent: 'End',
      attrs: { 'aria-label': `End ${browserName(login.browser)}` },
    });
    const item = h(
      'li',
      {},
      h(
        'div',
        {},
        h('strong', { textContent: browserName(login.browser), title: login.browser }),
        h('small', {
          textContent: [login.current ? 'this browser' : `used ${ago(login.used, now)}`, login.address ?? '']
            .filter((part) => part !== '')
            .join(' · '),
        }),
      ),
      !login.current && end,
    );
    end.onclick = () => {
      end.disabled = true;
      void api.revoke(login.id).then(
        () => item.remove(),
        () => {
          end.disabled = false;
          tell('This login could not be ended.');
        },
      );
    };
    return item;
  });
  const list = h('ul', { className: 'logins' }, ...items);
  await ask('Where am I logged in', [h('div', { className: 'scroll' }, list)], [], { cancel: 'Close' });
}
