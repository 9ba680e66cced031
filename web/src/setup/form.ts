// The set-up form: what a machine needs to be somebody's. The same at its own screen and at its access point.
import { h } from '../dom.ts';
import type { End, Form, Network, State } from './api.ts';
import { countries, fieldOf, LAYOUTS, zones } from './words.ts';

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** Which of these can be left empty is up to whoever sets it up. */
interface Parts {
  send(form: Form): Promise<End>;
  /** It is done. */
  done(form: Form): void;
  /** Nobody wants to. */
  cancel?: (() => void) | undefined;
}

/** How a network's strength is said. */
function strength({ signal }: Network): string {
  if (signal > -55) return 'strong';
  return signal > -70 ? 'fair' : 'weak';
}

export class SetupForm {
  readonly element: HTMLFormElement;
  readonly #fields = new Map<keyof Form, Field>();
  readonly #says = h('p', { className: 'says', attrs: { role: 'alert' } });
  readonly #hidden = h('input', { type: 'checkbox' });
  readonly #send = h('button', { className: 'main', textContent: 'Set up' });

  constructor(
    state: State,
    private readonly parts: Parts,
  ) {
    const { for: whom, networks } = state;
    const anew = whom.who === 'anyone';
    const ssid = this.#text('ssid', 'Network', { maxLength: 32, list: networks.map((one) => one.ssid) });
    const choose = networks.length > 0 && this.#choose(networks);
    const { cancel } = parts;
    this.element = h(
      'form',
      { className: 'setup-form', noValidate: true },
      whom.who === 'admin' &&
        part(
          `Changes need the password of ${whom.name}`,
          this.#text('admin_password', 'Password', { type: 'password', autocomplete: 'current-password' }),
        ),
      part(
        anew ? 'Administrator' : 'Another administrator, or a new password',
        this.#text('name', 'Name', {
          autocomplete: 'username',
          hint: 'Small letters. Logs in at the page and by SSH, and may do everything.',
        }),
        this.#text('password', 'Password', {
          type: 'password',
          autocomplete: 'new-password',
          hint: 'At least 8 characters.',
        }),
        this.#key(),
      ),
      part(
        'Wi-Fi',
        choose,
        ssid,
        this.#text('passphrase', 'Passphrase', {
          type: 'password',
          maxLength: 64,
          hint: 'Empty for a network without one.',
        }),
        h('label', { className: 'tick' }, this.#hidden, 'The network doesn’t say its name'),
        this.#select('country', 'Country', [['', 'As it is'], ...countries()]),
      ),
      part(
        'This machine',
        this.#text('hostname', 'Name', { maxLength: 64 }),
        this.#select('keyboard', 'Keyboard', [['', 'As it is'], ...Object.entries(LAYOUTS)]),
        this.#text('timezone', 'Time zone', { list: zones(), hint: 'As in Europe/Berlin.' }),
        this.#text('locale', 'Language', { hint: 'As in de_DE.UTF-8.' }),
      ),
      this.#says,
      h(
        'div',
        { className: 'buttons' },
        cancel && h('button', { textContent: 'Not now', onclick: cancel }),
        this.#send,
      ),
    );
    this.#send.type = 'submit';
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  /** Where typing begins. */
  focus(): void {
    for (const field of this.#fields.values()) {
      if (field.isConnected) {
        field.focus();
        return;
      }
    }
  }

  #keep(name: keyof Form, label: string, field: Field, hint = ''): HTMLElement {
    field.name = name;
    field.id = `setup-${name}`;
    // Names and keys are no words of a language.
    field.setAttribute('autocapitalize', 'none');
    field.spellcheck = false;
    this.#fields.set(name, field);
    const about = h('small', { id: `setup-${name}-about`, textContent: hint });
    const wrong = h('small', { className: 'wrong', id: `setup-${name}-wrong` });
    field.setAttribute('aria-describedby', `${about.id} ${wrong.id}`);
    return h(
      'div',
      { className: 'field' },
      h('label', { htmlFor: field.id, textContent: label }),
      field,
      wrong,
      about,
    );
  }

  #text(
    name: keyof Form,
    label: string,
    { type = 'text', autocomplete = 'off', maxLength = 256, hint = '', list = [] as string[] } = {},
  ): HTMLElement {
    const field = h('input', { type, maxLength });
    field.setAttribute('autocomplete', autocomplete);
    const element = this.#keep(name, label, field, hint);
    if (list.length > 0) {
      const id = `setup-${name}-list`;
      element.append(h('datalist', { id }, ...list.map((value) => h('option', { value }))));
      field.setAttribute('list', id);
    }
    return element;
  }

  #key(): HTMLElement {
    const field = h('textarea', { rows: 2, maxLength: 8192 });
    return this.#keep('ssh_key', 'SSH key', field, 'The line of a .pub file; may be left empty.');
  }

  #select(name: keyof Form, label: string, choices: [string, string][]): HTMLElement {
    const options = choices.map(([value, textContent]) => h('option', { value, textContent }));
    return this.#keep(name, label, h('select', {}, ...options));
  }

  /** Those in reach, to touch. */
  #choose(networks: Network[]): HTMLElement {
    const row = (one: Network) =>
      h('button', {
        className: 'network',
        textContent: `${one.ssid} (${strength(one)}${one.protected ? '' : ', open'})`,
        onclick: () => {
          const [ssid, passphrase] = [this.#fields.get('ssid'), this.#fields.get('passphrase')];
          if (ssid) ssid.value = one.ssid;
          passphrase?.focus();
        },
      });
    return h('div', { className: 'networks' }, ...networks.slice(0, 12).map(row));
  }

  #form(): Form {
    const value = (name: keyof Form) => this.#fields.get(name)?.value ?? '';
    return {
      admin_password: value('admin_password'),
      hostname: value('hostname').trim(),
      locale: value('locale').trim(),
      timezone: value('timezone').trim(),
      keyboard: value('keyboard'),
      variant: '',
      country: value('country'),
      ssid: value('ssid'),
      passphrase: value('passphrase'),
      name: value('name').trim(),
      password: value('password'),
      ssh_key: value('ssh_key').trim(),
      hidden: this.#hidden.checked,
    };
  }

  async #submit(): Promise<void> {
    for (const field of this.#fields.values()) {
      field.removeAttribute('aria-invalid');
      const wrong = field.parentElement?.querySelector('.wrong');
      if (wrong) wrong.textContent = '';
    }
    this.#send.disabled = true;
    this.#says.textContent = 'One moment…';
    try {
      const form = this.#form();
      this.#ended(await this.parts.send(form), form);
    } catch {
      this.#says.textContent = 'The machine does not answer. Try again.';
    } finally {
      this.#send.disabled = false;
    }
  }

  #ended(end: End, form: Form): void {
    switch (end.end) {
      case 'done':
        this.#says.textContent = '';
        this.parts.done(form);
        return;
      case 'closed':
        this.#says.textContent = end.why;
        return;
      case 'password': {
        this.#says.textContent = 'The administrator’s password is not right.';
        this.#point('admin_password');
        return;
      }
      case 'wrong': {
        this.#says.textContent = end.problems.map(({ says }) => says).join(' · ');
        // The first last, which is where typing goes on.
        for (const { key, says } of [...end.problems].reverse()) {
          const field = fieldOf(key);
          if (field) this.#point(field, says);
        }
      }
    }
  }

  #point(name: keyof Form, says = ''): void {
    const field = this.#fields.get(name);
    const wrong = field?.parentElement?.querySelector('.wrong');
    if (wrong) wrong.textContent = says;
    field?.setAttribute('aria-invalid', 'true');
    field?.focus();
  }
}

function part(title: string, ...children: (HTMLElement | false)[]): HTMLElement {
  return h('fieldset', {}, h('legend', { textContent: title }), ...children);
}
