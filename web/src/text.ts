// Text that came from a program or another person, made fit to be shown or sent.

/** Control characters, and those that reorder or hide the text around them. */
const DECEPTIVE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** One line for a tab, a title or a notice: no control or reordering characters, cut at `limit` characters. */
export function tidy(text: string, limit = 256): string {
  const chars = [...text.replace(DECEPTIVE, '')];
  return chars.length > limit ? `${chars.slice(0, limit - 1).join('')}…` : chars.join('');
}

/** Longest name of a terminal, in characters (`base::TerminalName::MAX_CHARS`). */
export const MAX_NAME = 64;

/** What a terminal is called: the name a person gave, else the program's title, else the program. */
export function called(terminal: {
  name?: string | null;
  title?: string | null;
  command?: readonly string[];
}): string {
  const name = tidy(terminal.name ?? '') || tidy(terminal.title ?? '');
  if (name) return name;
  const program = terminal.command?.[0]?.split('/').pop() ?? '';
  return tidy(program.replace(/^-/, '')) || 'shell';
}

/** How long ago a moment was, given in seconds since 1970. */
export function ago(seconds: number, now = Date.now() / 1000): string {
  const age = Math.max(0, Math.round(now - seconds));
  if (age < 60) return `${age} s ago`;
  if (age < 3600) return `${Math.floor(age / 60)} min ago`;
  return age < 172_800 ? `${Math.floor(age / 3600)} h ago` : `${Math.floor(age / 86_400)} days ago`;
}

/** How a program ended, as the middle of a sentence. */
export function howEnded(exit: { status: number } | { signal: number }): string {
  return 'status' in exit
    ? `ended with status ${exit.status}`
    : `was ended by signal ${signalName(exit.signal)}`;
}

const SIGNALS: Record<number, string> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  4: 'ILL',
  6: 'ABRT',
  8: 'FPE',
  9: 'KILL',
  11: 'SEGV',
  13: 'PIPE',
  15: 'TERM',
};

function signalName(signal: number): string {
  const name = SIGNALS[signal];
  return name ? `${signal} (${name})` : String(signal);
}
