// The admin page: every terminal of the machine, who is here, and what may be done about it. Plain on purpose.
import { type Action, type LoginInfo, line, type Outcome, type Watching, worstFirst } from './actions.ts';
import * as api from './api.ts';
import { ask } from './dialogs.ts';
import { h } from './dom.ts';
import { follow } from './events.ts';
import type { Level, Mode, Notice } from './frames.ts';
import { type Message, Messages } from './messages.ts';
import { type NoticeAction, Notices } from './notices.ts';
import { type PageAround, Pane } from './pane.ts';
import { DEFAULTS, load, type Settings } from './settings.ts';
import { ago, called, howEnded, tidy } from './text.ts';
import { dress, type Theme, themeOf } from './themes.ts';

/** How often it is asked who is here, in ms. */
const LOOK_EVERY = 10_000;

export class Admin implements PageAround {
  readonly kiosk = false;
  mode: Mode = 'view';
  readonly #settings: Settings = { ...DEFAULTS, ...load(localStorage) };
  readonly #theme: Theme = themeOf(this.#settings.theme);
  readonly #notices = new Notices();
  readonly #messages = new Messages(() => {});
  readonly #rows = h('tbody');
  readonly #none = h('p', { className: 'none', textContent: 'No terminal is open.', hidden: true });
  readonly #viewers = h('tbody');
  readonly #logins = h('tbody');
  readonly #health = h('tbody');
  readonly #here = h('section', { className: 'here', hidden: true });
  readonly #glass = h('section', { className: 'glass-frame', hidden: true });
  readonly #glassTitle = h('h2');
  #terminals: api.TerminalInfo[] = [];
  #watching: Watching[] = [];
  #pane: Pane | null = null;

  constructor(
    root: HTMLElement,
    private readonly me: api.Me,
    private readonly loggedOut: () => void,
  ) {
    document.title = `Administer ${location.host} – Gatepost`;
    document.documentElement.classList.add('administers');
    dress(this.#theme);
    const say = (label: string, action: Action, question?: string, danger = false) =>
      h('button', {
        className: danger ? 'danger' : '',
        textContent: label,
        title: line(action),
        onclick: () => void this.#do(label, action, question),
      });
    const may = (right: string) => me.may.includes(right);
    root.replaceChildren(
      h(
        'header',
        { className: 'bar' },
        h('strong', { textContent: location.host }),
        h('span', { className: 'dim', textContent: me.user ?? `as the ${me.principal}` }),
        h('span', { className: 'space' }),
        h('a', { href: '#', textContent: 'Terminals', onclick: () => setTimeout(() => location.reload()) }),
      ),
      h(
        'main',
        { className: 'admin' },
        h(
          'div',
          { className: 'deeds' },
          may('message') &&
            h('button', { textContent: 'Message to the kiosk…', onclick: () => void this.#message(null) }),
          may('message') &&
            h('button', { textContent: 'Message to all…', onclick: () => void this.#message('all') }),
          may('power') && say('Reload the kiosk', { action: 'reload-kiosk' }),
          may('power') && say('Show who it is', { action: 'kiosk', does: 'identity' }),
          may('power') && say('Screen on', { action: 'display', state: 'on' }),
          may('power') && say('Screen off', { action: 'display', state: 'off' }),
          may('power') && say('Screen by schedule', { action: 'display', state: 'schedule' }),
          may('power') &&
            say(
              'Reboot…',
              { action: 'power', state: 'reboot' },
              'The machine restarts. Every program in every terminal ends.',
              true,
            ),
          may('power') &&
            say(
              'Switch off…',
              { action: 'power', state: 'off' },
              'The machine is switched off. Somebody has to be there to switch it on again.',
              true,
            ),
        ),
        h(
          'table',
          { className: 'terminals' },
          h(
            'thead',
            {},
            h('tr', {}, ...['Terminal', 'Owner', 'Command', 'Viewers', 'Last output', ''].map(head)),
          ),
          this.#rows,
        ),
        this.#none,
        this.#glass,
        this.#here,
      ),
      this.#notices.element,
      this.#messages.element,
    );
    this.#here.append(
      h('h2', { textContent: 'Who watches' }),
      table(['Who', 'From', 'Watches', 'May', 'Since'], this.#viewers),
      h('h2', { textContent: 'Who is logged in' }),
      table(['Who', 'From', 'Since', 'Last used'], this.#logins),
      h('h2', { textContent: 'How the machine is' }),
      table(['What', 'How', ''], this.#health),
    );
    follow({ listed: (list) => this.#listed(list), changed: (link) => this.#linked(link.phase) }).start();
    void this.#look();
    setInterval(() => void this.#look(), LOOK_EVERY);
  }

  settings(): Settings {
    return this.#settings;
  }

  theme(): Theme {
    return this.#theme;
  }

  notify(level: Notice['level'], text: string, action?: NoticeAction, key?: string): void {
    this.#notices.show(level, text, action, key);
  }

  message(message: Message, tell: (id: number) => Promise<unknown>): void {
    this.#messages.show(message, tell);
  }

  changed(pane: Pane): void {
    if (pane.attachment.link.phase === 'gone') this.#hide();
    if (pane.attachment.link.phase === 'logged-out') this.loggedOut();
  }

  output(): void {}

  clipboard(): void {}

  close(pane: Pane): void {
    void this.#do('Close', { action: 'close-terminal', terminal: pane.id }, 'Its program ends.');
  }

  typed(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  #linked(phase: string): void {
    if (phase === 'logged-out') this.loggedOut();
    document.documentElement.classList.toggle('offline', phase !== 'live');
  }

  async #act(action: Action): Promise<Outcome | null> {
    try {
      return await api.act(action);
    } catch (error) {
      if (error instanceof api.ApiError && error.status === 401) this.loggedOut();
      else this.notify('error', error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /** Does it, after asking if there is a question. */
  async #do(label: string, action: Action, question?: string): Promise<boolean> {
    if (question !== undefined) {
      const title = `${label.replace('…', '')}?`;
      const content = [h('p', { textContent: question })];
      if (!(await ask(title, content, [{ label: title.slice(0, -1), value: true, danger: true }])))
        return false;
    }
    const outcome = await this.#act(action);
    if (outcome) this.notify('info', `${label.replace('…', '')}: done.`);
    return outcome !== null;
  }

  async #message(to: 'all' | api.TerminalInfo | null): Promise<void> {
    const text = h('textarea', { rows: 4, maxLength: 512 });
    const level = h(
      'select',
      {},
      ...['info', 'warning', 'error'].map((name) => h('option', { value: name, textContent: name })),
    );
    const read = h('input', { type: 'checkbox', checked: true });
    const whom = to === null ? 'the kiosk' : to === 'all' ? 'everybody' : called(to);
    const sure = await ask(
      `Message to ${whom}`,
      [
        h('label', {}, 'Text', text),
        h('label', {}, 'Level', level),
        h('label', { className: 'tick' }, read, 'Stays until somebody says that they have read it'),
      ],
      [{ label: 'Show it', value: true }],
      { focus: text },
    );
    if (!sure) return;
    const told = await this.#act({
      action: 'message',
      text: text.value,
      to: to === null ? { kiosk: {} } : to === 'all' ? { all: {} } : { terminal: to.id },
      level: level.value as Level,
      require_ack: read.checked,
    });
    if (told?.outcome !== 'told') return;
    this.notify('info', `Shown to ${told.viewers === 1 ? '1 viewer' : `${told.viewers} viewers`}.`);
    if (!read.checked) return;
    for (const terminal of told.terminals) {
      void api.read(terminal, told.message).then(
        (by) => {
          const where = by.kiosk ? ' on the kiosk’s screen' : '';
          this.notify('warning', `“${tidy(text.value, 40)}” was read by ${tidy(by.by, 60)}${where}.`);
        },
        () => {},
      );
    }
  }

  async #look(): Promise<void> {
    if (!this.me.may.includes('admin') || document.visibilityState === 'hidden') return;
    const here = await api.act({ action: 'who' }).catch(() => null);
    if (here?.outcome !== 'here') return;
    this.#here.hidden = false;
    this.#watching = here.viewers;
    this.#logins.replaceChildren(...here.logins.map(login));
    this.#draw();
    const machine = await api.act({ action: 'health' }).catch(() => null);
    if (machine?.outcome === 'health')
      this.#health.replaceChildren(
        ...worstFirst(machine.health.checks).map(({ name, verdict, says }) => row([name, verdict, says])),
      );
  }

  #viewer({ who, from, terminal, access, since }: Watching): HTMLElement {
    const info = this.#terminals.find(({ id }) => id === terminal);
    return row([who, from, info ? called(info) : terminal, access === 'type' ? 'type' : 'watch', ago(since)]);
  }

  #listed(terminals: api.TerminalInfo[]): void {
    this.#terminals = terminals;
    // Somebody came or went.
    void this.#look();
    if (this.#pane && !terminals.some(({ id }) => id === this.#pane?.id)) this.#hide();
    this.#draw();
  }

  #draw(): void {
    this.#viewers.replaceChildren(...this.#watching.map((viewer) => this.#viewer(viewer)));
    this.#none.hidden = this.#terminals.length > 0;
    const focused = document.activeElement?.getAttribute('data-do');
    this.#rows.replaceChildren(...this.#terminals.map((info) => this.#row(info)));
    if (focused) this.#rows.querySelector<HTMLElement>(`[data-do="${focused}"]`)?.focus();
  }

  #row(info: api.TerminalInfo): HTMLElement {
    const may = (right: string) => this.me.may.includes(right);
    const kiosk =
      info.name === 'kiosk' ||
      this.#watching.some(({ terminal, who }) => terminal === info.id && who === 'the kiosk');
    const ended =
      info.exit_status !== null
        ? howEnded({ status: info.exit_status })
        : info.exit_signal !== null
          ? howEnded({ signal: info.exit_signal })
          : null;
    const own = (info.owner ?? null) === (this.me.user ?? null);
    const deed = (label: string, run: () => void, allowed: boolean) =>
      allowed &&
      h('button', {
        textContent: label,
        onclick: run,
        attrs: { 'data-do': `${label} ${info.id}`, 'aria-label': `${label} ${called(info)}` },
      });
    return h(
      'tr',
      { className: this.#pane?.id === info.id ? 'shown' : '', attrs: { 'data-terminal': info.id } },
      cell(
        'Terminal',
        h('strong', { textContent: called(info) }),
        kiosk && h('span', { className: 'badge', textContent: 'kiosk' }),
        ended !== null && h('span', { className: 'badge ended', textContent: ended }),
        h('small', { textContent: info.id }),
      ),
      cell('Owner', tidy(info.owner ?? '–')),
      cell('Command', h('code', { textContent: tidy(info.command.join(' '), 80) })),
      cell('Viewers', String(info.viewers)),
      cell('Last output', info.last_output === null ? '–' : ago(info.last_output)),
      h(
        'td',
        {},
        h(
          'div',
          { className: 'deeds' },
          deed('Watch', () => this.#show(info, 'view'), own || may('watch')),
          deed('Type', () => this.#show(info, 'type'), own || may('type')),
          deed('Message…', () => void this.#message(info), own || may('message')),
          deed(
            'Reset',
            () => void this.#do('Reset', { action: 'reset-terminal', terminal: info.id }),
            own || may('type'),
          ),
          deed(
            'Close…',
            () =>
              void this.#do(
                'Close…',
                { action: 'close-terminal', terminal: info.id },
                `${called(info)} and everything its program started end.`,
              ),
            own || may('admin'),
          ),
        ),
      ),
    );
  }

  /** Shows a terminal below the list, to watch or to type into. */
  #show(info: api.TerminalInfo, mode: Mode): void {
    this.#hide();
    this.mode = mode;
    this.#glassTitle.textContent = `${mode === 'view' ? 'Watching' : 'Typing into'} ${called(info)}`;
    this.#pane = new Pane(info.id, this);
    this.#glass.replaceChildren(
      h(
        'div',
        { className: 'title' },
        this.#glassTitle,
        h('button', { textContent: 'Done', onclick: () => this.#hide() }),
      ),
      this.#pane.element,
    );
    this.#glass.classList.toggle('typing', mode === 'type');
    this.#glass.hidden = false;
    this.#pane.show(false);
    this.#pane.focus();
    this.#glass.scrollIntoView({ block: 'nearest' });
    this.#draw();
  }

  #hide(): void {
    const pane = this.#pane;
    this.#pane = null;
    pane?.dispose();
    this.#glass.replaceChildren();
    this.#glass.hidden = true;
    this.#draw();
  }
}

function head(text: string): HTMLElement {
  return h('th', { textContent: text, attrs: { scope: 'col' } });
}

function table(heads: string[], body: HTMLElement): HTMLElement {
  return h('table', {}, h('thead', {}, h('tr', {}, ...heads.map(head))), body);
}

function row(texts: string[]): HTMLElement {
  return h('tr', {}, ...texts.map((text) => h('td', { textContent: tidy(text) })));
}

function cell(label: string, ...content: (Node | string | false)[]): HTMLElement {
  return h('td', { attrs: { 'data-label': label } }, ...content);
}

function login({ who, from, since, used }: LoginInfo): HTMLElement {
  return row([who, from ?? '', ago(since), ago(used)]);
}

/** Shows the admin page once it is known what this login may do. */
export async function administer(root: HTMLElement, loggedOut: () => void): Promise<void> {
  new Admin(root, await api.me(), loggedOut);
}
