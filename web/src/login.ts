// Logging in: one form that relays whatever is asked (name, password, codes, a new password), and links for
// the ways that lead elsewhere. Every failure has the same words; they come from the server.
import * as api from './api.ts';
import { h } from './dom.ts';

/** What a link says when the server has no words of its own for it. */
const NAMES: Record<string, string> = {
  oidc: 'Log in with single sign-on',
  cas: 'Log in with CAS',
  kerberos: 'Log in with Kerberos',
  certificate: 'Log in with a certificate',
  none: 'Come in',
};

/** What a field is for, so that password managers and phones can help. Pure. */
export function purpose(prompt: api.Prompt): AutoFill {
  const text = prompt.text.toLowerCase();
  if (/\b(code|otp|one-time|token|verification)\b/.test(text)) return 'one-time-code';
  if (prompt.echo) return 'off';
  return /\bnew\b|again|retype/.test(text) ? 'new-password' : 'current-password';
}

/** A prompt as a label: PAM's own end in a colon. Pure. */
export function labelOf(prompt: api.Prompt): string {
  const text = prompt.text.trim().replace(/\s*:$/, '');
  return text === '' ? (prompt.echo ? 'Answer' : 'Password') : text;
}

/** Whether a password typed beside the name answers this. Pure. */
export function isPassword(prompts: api.Prompt[]): boolean {
  const [first, ...rest] = prompts;
  return first !== undefined && rest.length === 0 && !first.echo && purpose(first) === 'current-password';
}

/** The form, in `root`, until somebody is in. */
export class LoginForm {
  readonly element = h('form', {
    className: 'login',
    noValidate: true,
    attrs: { 'aria-labelledby': 'login-title' },
  });
  readonly #notes = h('div', { className: 'notes', attrs: { role: 'status' } });
  readonly #failure = h('p', { className: 'failure', hidden: true, attrs: { role: 'alert' } });
  readonly #fields = h('div', { className: 'fields' });
  readonly #submit = h('button', { className: 'main', textContent: 'Log in' });
  readonly #again = h('button', {
    className: 'quiet',
    textContent: 'Start again',
    hidden: true,
    onclick: () => this.#begin(),
  });
  #conversation: string | null = null;
  #user = '';
  #busy = false;

  constructor(private readonly done: () => void) {
    this.#submit.type = 'submit';
    this.element.append(this.#notes, this.#fields, this.#failure, this.#submit, this.#again);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    // What is typed here is nobody's shortcut.
    this.element.addEventListener('keydown', (event) => event.stopPropagation());
    this.#begin();
  }

  focus(): void {
    const inputs = [...this.#fields.querySelectorAll('input')];
    (inputs.find(({ value }) => value === '') ?? inputs[0])?.focus();
  }

  #begin(): void {
    this.#conversation = null;
    this.#again.hidden = true;
    this.#notes.replaceChildren();
    this.#fields.replaceChildren(
      field('Name', { name: 'username', type: 'text', autocomplete: 'username', value: this.#user }),
      field('Password', { name: 'password', type: 'password', autocomplete: 'current-password' }),
    );
    this.focus();
  }

  async #send(): Promise<void> {
    if (this.#busy) return;
    const values = [...this.#fields.querySelectorAll('input')].map(({ value }) => value);
    this.#failure.hidden = true;
    this.#wait(true);
    try {
      let turn: api.Turn | null;
      if (this.#conversation === null) {
        const [user = '', password = ''] = values;
        this.#user = user.trim();
        if (this.#user === '') return this.focus();
        turn = await api.begin(this.#user);
        if (turn && password !== '' && isPassword(turn.prompts))
          turn = await api.answer(turn.conversation, [password]);
      } else {
        turn = await api.answer(this.#conversation, values);
      }
      if (turn) this.#ask(turn);
      else this.done();
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      this.#wait(false);
      this.#begin();
      this.#failure.textContent = sentence(error);
      this.#failure.hidden = false;
      this.focus();
    } finally {
      this.#wait(false);
    }
  }

  #ask({ conversation, notes, prompts }: api.Turn): void {
    this.#conversation = conversation;
    this.#again.hidden = false;
    this.#notes.replaceChildren(
      ...notes.map(({ text, error }) => h('p', { className: error ? 'failure' : '', textContent: text })),
    );
    this.#fields.replaceChildren(
      ...prompts.map((prompt, index) =>
        field(labelOf(prompt), {
          name: `answer${index}`,
          type: prompt.echo ? 'text' : 'password',
          autocomplete: purpose(prompt),
        }),
      ),
    );
    this.#wait(false);
    this.focus();
  }

  #wait(busy: boolean): void {
    this.#busy = busy;
    this.#submit.disabled = busy;
    this.#submit.textContent = busy ? 'Checking…' : this.#conversation === null ? 'Log in' : 'Continue';
    this.element.setAttribute('aria-busy', String(busy));
    for (const input of this.#fields.querySelectorAll('input')) input.readOnly = busy;
  }
}

function sentence(error: api.ApiError): string {
  const text = error.message;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function field(label: string, props: Partial<HTMLInputElement>): HTMLElement {
  const input = h('input', {
    spellcheck: false,
    autocapitalize: 'none',
    maxLength: 511,
    ...props,
    attrs: { autocorrect: 'off' },
  });
  return h('label', {}, h('span', { textContent: label }), input);
}

/** What another application put into the address for us, in the fragment, which no server sees. Pure. */
export function vouched(fragment: URLSearchParams): { object: unknown } | { token: string } | null {
  const token = fragment.get('wstoken');
  if (token !== null) return { token };
  const text = fragment.get('auth');
  if (text === null) return null;
  try {
    return { object: JSON.parse(text) as unknown };
  } catch {
    // Refused by the server, in its own words.
    return { object: {} };
  }
}

/** Buttons and links for the ways that need no form; `done` when one of them let somebody in. */
export function others(ways: api.WayIn[], done: () => void): HTMLElement | null {
  const failure = h('p', { className: 'failure', hidden: true, attrs: { role: 'alert' } });
  const buttons = ways.flatMap(({ way, link, label, post }): HTMLElement[] => {
    const words = label ?? NAMES[way] ?? `Log in with ${way}`;
    if (link && !post) return [h('a', { className: 'button', href: link, textContent: words })];
    const at = link ?? (way === 'none' ? 'api/login/none' : null);
    if (at === null) return [];
    const ask = async () => {
      failure.hidden = true;
      try {
        await api.loginAt(at);
        done();
      } catch (error) {
        if (!(error instanceof api.ApiError)) throw error;
        failure.textContent = sentence(error);
        failure.hidden = false;
      }
    };
    return [h('button', { className: 'button', textContent: words, onclick: () => void ask() })];
  });
  return buttons.length === 0 ? null : h('div', { className: 'elsewhere' }, ...buttons, failure);
}
