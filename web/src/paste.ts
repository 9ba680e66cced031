// What is pasted, before it reaches a program: cleaned, and held back when it could run by itself.

/** Longest paste, in characters: beyond it a file is what the person wants. */
export const MAX_PASTE = 4 << 20;

/** A paste as it will be sent. */
export interface Paste {
  /** Cleaned text, lines ended by `\n`. */
  text: string;
  /** How many lines it has. */
  lines: number;
  /** Whether anything but blanks at line ends was taken out. */
  stripped: boolean;
}

/**
 * Takes out what could steer a terminal: control characters but tab and newline (so no `ESC[201~` can end a
 * bracketed paste early), and the blanks at the ends of lines of a multi-line paste, which copying off a screen adds.
 */
export function clean(raw: string): Paste {
  const unified = raw.replace(/\r\n?/g, '\n');
  const text = unified.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
  const stripped = text.length !== unified.length;
  const trimmed = text.includes('\n') ? text.replace(/[ \t]+(?=\n|$)/g, '') : text;
  const body = trimmed.endsWith('\n') ? trimmed.slice(0, -1) : trimmed;
  return { text: trimmed, lines: body.split('\n').length, stripped };
}

/** Whether a person should be asked first: a line end would run it in a program that doesn't know it is a paste. */
export function risky(paste: Paste, bracketed: boolean): boolean {
  return !bracketed && paste.text.includes('\n');
}

/** The same on one line, for whoever meant it so. */
export function oneLine(paste: Paste): Paste {
  return { ...paste, text: paste.text.trim().replace(/\s*\n\s*/g, ' '), lines: 1 };
}

/** The bytes to type. */
export function bytesOf(paste: Paste, bracketed: boolean): Uint8Array {
  const typed = paste.text.replace(/\n/g, '\r');
  return new TextEncoder().encode(bracketed ? `\x1b[200~${typed}\x1b[201~` : typed);
}
