// The line over a terminal that says what is not as usual: offline, ended, stopped, behind. None when all is well.
import { type Link, words } from './connection.ts';
import { h } from './dom.ts';
import type { Meta } from './frames.ts';
import { wakeAll } from './link.ts';
import { howEnded } from './text.ts';

/** How a terminal stands. */
export interface Standing {
  link: Link;
  meta: Meta;
  /** Behind for long enough to be said. */
  behind: boolean;
  /** Keys typed while nothing could be sent. */
  dropped: number;
  /** Whether the cursor is near the bottom: the line must not hide it. */
  low: boolean;
}

/** What the line offers. */
export interface Offers {
  restart(): void;
  /** `null` where nobody may close it. */
  close: (() => void) | null;
  resume(): void;
}

export class StateLine {
  readonly element = h('div', { className: 'line', hidden: true, attrs: { role: 'status' } });
  #said = '';

  show(standing: Standing, offers: Offers): void {
    const [kind, parts] = compose(standing, offers);
    // Only what changed is drawn, or a screen reader would say it every second.
    const said = kind + parts.map((part) => part.textContent).join('');
    if (said === this.#said) return;
    this.#said = said;
    this.element.className = `line ${kind} ${standing.low ? 'high' : 'low'}`;
    this.element.replaceChildren(...parts);
    this.element.hidden = parts.length === 0;
  }
}

function compose({ link, meta, behind, dropped }: Standing, offers: Offers): [string, HTMLElement[]] {
  const key = (textContent: string) => h('kbd', { textContent });
  const button = (textContent: string, onclick: () => void) => h('button', { textContent, onclick });
  if (link.phase === 'live') {
    if (meta.exit && meta.restarts) {
      const sentence = h('span', { textContent: `The program ${howEnded(meta.exit)}. It is started again.` });
      return ['ended', [sentence]];
    }
    if (meta.exit) {
      const sentence = h(
        'span',
        {},
        `The program ${howEnded(meta.exit)}. Press `,
        key('Enter'),
        ' to start it again.',
      );
      const close = offers.close ? [button('Close', offers.close)] : [];
      return ['ended', [sentence, button('Restart', offers.restart), ...close]];
    }
    if (meta.stopped) {
      const sentence = h('span', {}, 'Output is stopped (Ctrl-S). ', key('Ctrl-Q'), ' resumes it.');
      return ['stopped', [sentence, button('Resume', offers.resume)]];
    }
    return behind ? ['behind', [h('span', { textContent: 'Catching up with the output…' })]] : ['', []];
  }
  // A first connection in its first moments needs no words.
  if (link.phase === 'idle' || (link.phase === 'connecting' && !link.wasLive && link.tries <= 1))
    return ['', []];
  const { state, detail } = words(link, Date.now());
  const name = state.charAt(0).toUpperCase() + state.slice(1);
  const unsent = dropped === 0 ? '' : ` ${dropped === 1 ? '1 key was' : `${dropped} keys were`} not sent.`;
  const sentence = h('span', {}, h('strong', { textContent: name }), detail ? `: ${detail}.` : '.', unsent);
  return ['lost', link.phase === 'lost' ? [sentence, button('Try now', wakeAll)] : [sentence]];
}
