// What is known of one terminal, on one sheet: for whoever wants to know, or has to tell somebody.
import { ask } from './dialogs.ts';
import { h } from './dom.ts';
import type { Meta } from './frames.ts';
import { tidy } from './text.ts';

/** What the sheet is made of. */
export interface Known {
  id: string;
  meta: Meta;
  /** This page's number among the viewers. */
  viewer: number | null;
  keeper: string;
  /** How long the way there and back takes, in ms; `null` while there is no way. */
  roundTrip: number | null;
  /** Now, in ms since 1970. */
  now: number;
}

/** Seconds as people say them. Pure. */
export function span(seconds: number): string {
  const units: [number, string][] = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  for (const [size, name] of units) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'a moment';
}

/** The sheet's lines. Pure. */
export function factsOf({ id, meta, viewer, keeper, roundTrip, now }: Known): [string, string][] {
  const facts: [string, string][] = [];
  const add = (label: string, value: string | null | undefined) => {
    if (value) facts.push([label, value]);
  };
  add('Name', tidy(meta.name ?? '', 256));
  add('Program’s title', tidy(meta.title ?? '', 256));
  add('Program', tidy(meta.command?.join(' ') ?? '', 400));
  for (const [key, value] of Object.entries(meta.labels ?? {})) add(tidy(key, 32), tidy(value, 128));
  add('Process', meta.pid ? String(meta.pid) : null);
  const others = meta.viewers?.filter((one) => one.viewer !== viewer) ?? [];
  if (meta.size) {
    const owner = meta.viewers?.find((one) => one.viewer === meta.size_owner);
    const whose = !owner
      ? ''
      : owner.viewer === viewer
        ? ', decided by this screen'
        : `, decided by ${owner.kiosk ? 'the kiosk' : owner.label === 'browser' ? 'another browser' : tidy(owner.label, 40) || 'another viewer'}`;
    add('Size', `${meta.size.cols} columns × ${meta.size.rows} rows${whose}`);
  }
  if (meta.opened) add('Opened', `${span(now / 1000 - meta.opened)} ago`);
  if (meta.scrollback !== undefined) add('Lines above the screen', String(meta.scrollback));
  add('Watched by', others.length === 0 ? 'this page alone' : `this page and ${others.length} more`);
  add('Answers within', roundTrip === null ? null : `${Math.max(1, Math.round(roundTrip))} ms`);
  add('Its number', id);
  add('Keeper', keeper);
  return facts;
}

/** Shows it; `true` when the person wants to give it another name. */
export async function showAbout(title: string, known: Known): Promise<boolean> {
  const rows = factsOf(known).map(([label, value]) =>
    h('tr', {}, h('th', { scope: 'row', textContent: label }), h('td', { textContent: value })),
  );
  const again = await ask(
    title,
    [
      h(
        'div',
        { className: 'scroll', tabIndex: 0 },
        h('table', { className: 'keys' }, h('tbody', {}, ...rows)),
      ),
    ],
    [{ label: 'Rename…', value: true }],
    { wide: true, plain: true, cancel: 'Close' },
  );
  return again === true;
}
