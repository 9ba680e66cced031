// Everything Gatepost can be asked to do: the twin of src/action. tests/golden/actions.json holds both still.
import type { TerminalInfo } from './api.ts';
import type { Level, Size } from './frames.ts';

/** Who gets a message. */
export type Recipient =
  | { kiosk: Record<string, never> }
  | { all: Record<string, never> }
  | { terminal: string };

/** What is done about the system's two slots; `from` is a path, an https:// address or `usb`. */
export type UpdateStep =
  | { check: { from?: string } }
  | { install: { from: string; downgrade?: boolean; restart?: boolean } }
  | { rollback: { restart?: boolean } }
  | { confirm: Record<string, never> };

/** One request; `terminal` is an id, a name, or an unambiguous beginning of an id. */
export type Action =
  | { action: 'list-terminals' }
  | {
      action: 'open-terminal';
      name?: string;
      command?: string[];
      size?: Size;
      directory?: string;
      labels?: Record<string, string>;
    }
  | { action: 'close-terminal'; terminal: string }
  | { action: 'close-all-terminals' }
  | { action: 'rename-terminal'; terminal: string; name?: string }
  | { action: 'send-text'; terminal: string; text: string }
  | { action: 'reset-terminal'; terminal: string }
  | { action: 'share-terminal'; terminal: string; with: string }
  | { action: 'unshare-terminal'; terminal: string; with: string }
  | { action: 'message'; text: string; to?: Recipient; level?: Level; require_ack?: boolean }
  | { action: 'reload-kiosk' }
  | { action: 'kiosk'; does: 'identity' | 'switch-next' | 'switch-choose' }
  | { action: 'display'; state: 'on' | 'off' | 'schedule' }
  | { action: 'power'; state: 'reboot' | 'off' }
  | { action: 'run-hook'; hook: string; arguments?: string[] }
  | { action: 'lamp'; lamp: string; state: 'on' | 'off' | 'blink' | 'auto' }
  | { action: 'update'; step: UpdateStep }
  | { action: 'image'; state: 'unlocked' | 'locked' }
  | { action: 'who' }
  | { action: 'health' };

/** One viewer. Times are seconds since 1970. */
export interface Watching {
  terminal: string;
  who: string;
  from: string;
  door: 'web' | 'local' | 'button';
  access: 'view' | 'type';
  since: number;
}

/** One login. */
export interface LoginInfo {
  who: string;
  from?: string;
  since: number;
  used: number;
}

/** One thing that was looked at, with a sentence for people. */
export interface Check {
  name: string;
  verdict: 'unknown' | 'good' | 'warning' | 'bad';
  says: string;
  value?: number;
}

/** How the machine is: the worst verdict, and all of them. */
export interface Health {
  verdict: 'good' | 'warning' | 'bad';
  checks: Check[];
}

/** How the system's two slots are. */
export interface Slots {
  running: 'a' | 'b';
  version: string;
  built: number;
  sequence: number;
  slot: 'a' | 'b';
  trust: 'confirmed' | { tries: number };
  other_good: boolean;
  rolled_back: boolean;
  bundle?: string;
}

/** What came of an action. */
export type Outcome =
  | { outcome: 'done' }
  | { outcome: 'opened'; terminal: string }
  | { outcome: 'closed'; terminals: string[] }
  | { outcome: 'terminals'; terminals: TerminalInfo[] }
  | { outcome: 'told'; message: number; terminals: string[]; viewers: number }
  | { outcome: 'here'; viewers: Watching[]; logins: LoginInfo[] }
  | { outcome: 'health'; health: Health }
  | { outcome: 'update'; slots: Slots };

/** Characters a word may have without quotes. */
const PLAIN = /^[\p{Alphabetic}\p{N}_./:@%+,=-]+$/u;
/** What can't be seen, or makes other text look like what it isn't. */
const HIDDEN = /[\p{Cc}\p{White_Space}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;
const ESCAPES: Record<string, string> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u001b': '\\e',
  '\\': '\\\\',
  "'": "\\'",
  ' ': ' ',
};

/** A word as it stands in a line. */
export function quote(text: string): string {
  if (PLAIN.test(text) && !text.startsWith('-')) return text;
  const written = [...text].map((c) => {
    const code = c.codePointAt(0) ?? 0;
    const known = ESCAPES[c];
    if (known) return known;
    if (code < 32 || code === 127) return `\\x${code.toString(16).padStart(2, '0')}`;
    return HIDDEN.test(c) ? `\\u{${code.toString(16)}}` : c;
  });
  return `'${written.join('')}'`;
}

const VERDICTS = ['bad', 'warning', 'good', 'unknown'];

/** What needs somebody's eye before what doesn't. */
export function worstFirst(checks: Check[]): Check[] {
  const order = ({ verdict }: Check) => VERDICTS.indexOf(verdict);
  return [...checks].sort((a, b) => order(a) - order(b));
}

function update(step: UpdateStep): string {
  if ('confirm' in step) return 'update confirm';
  if ('rollback' in step) return step.rollback.restart ? 'update rollback --restart' : 'update rollback';
  if ('check' in step)
    return ['update check', ...(step.check.from ? [quote(step.check.from)] : [])].join(' ');
  const { from, downgrade, restart } = step.install;
  const words = ['update install', quote(from)];
  if (downgrade) words.push('--downgrade');
  if (restart) words.push('--restart');
  return words.join(' ');
}

/** The line that means this action: what `gatepost do` would be told. */
export function line(action: Action): string {
  switch (action.action) {
    case 'list-terminals':
      return 'terminal list';
    case 'open-terminal': {
      const { name, size, directory, labels, command } = action;
      const words = ['terminal open'];
      if (name !== undefined) words.push('--name', quote(name));
      if (size && (size.cols !== 80 || size.rows !== 24)) words.push('--size', `${size.cols}x${size.rows}`);
      if (directory !== undefined) words.push('--directory', quote(directory));
      for (const [key, value] of Object.entries(labels ?? {}))
        words.push('--label', quote(`${key}=${value}`));
      if (command?.length) words.push('--', ...command.map(quote));
      return words.join(' ');
    }
    case 'close-terminal':
      return `terminal close ${quote(action.terminal)}`;
    case 'close-all-terminals':
      return 'terminal close --all';
    case 'rename-terminal':
      return ['terminal rename', quote(action.terminal), ...(action.name ? [quote(action.name)] : [])].join(
        ' ',
      );
    case 'send-text':
      return `terminal send ${quote(action.terminal)} ${quote(action.text)}`;
    case 'reset-terminal':
      return `terminal reset ${quote(action.terminal)}`;
    case 'share-terminal':
      return `terminal share ${quote(action.terminal)} ${quote(action.with)}`;
    case 'unshare-terminal':
      return `terminal unshare ${quote(action.terminal)} ${quote(action.with)}`;
    case 'message': {
      const { text, to, level, require_ack } = action;
      const words = ['message', quote(text)];
      if (to && 'all' in to) words.push('--all');
      if (to && 'terminal' in to) words.push('--to', quote(to.terminal));
      if (level && level !== 'info') words.push('--level', level);
      if (require_ack) words.push('--require-ack');
      return words.join(' ');
    }
    case 'reload-kiosk':
      return 'kiosk reload';
    case 'kiosk':
      return `kiosk ${action.does.replace('-', ' ')}`;
    case 'display':
      return `display ${action.state}`;
    case 'power':
      return `power ${action.state}`;
    case 'run-hook': {
      const words = (action.arguments ?? []).map(quote);
      return ['hook run', quote(action.hook), ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
    }
    case 'lamp':
      return `lamp ${quote(action.lamp)} ${action.state}`;
    case 'update':
      return update(action.step);
    case 'image':
      return action.state === 'unlocked' ? 'image unlock' : 'image lock';
    case 'who':
      return 'who';
    case 'health':
      return 'health';
  }
}
