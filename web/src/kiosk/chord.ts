// Keys pressed together, as the configuration writes them (`src/base/chord.rs`): `Ctrl-Alt-Shift-A`, `F13`.

/** What keys are called in the configuration and not by browsers. */
const OURS: Record<string, string> = {
  ' ': 'Space',
  '-': 'Minus',
  '+': 'Plus',
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  ContextMenu: 'Menu',
  PrintScreen: 'Print',
};

/** The parts of a KeyboardEvent that count. */
export type Stroke = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey'>;

/** A key event as the configuration writes a chord. Pure. */
export function chordOf(event: Stroke): string {
  const key = OURS[event.key] ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  const held = [
    event.ctrlKey && 'Ctrl',
    event.altKey && 'Alt',
    event.shiftKey && 'Shift',
    event.metaKey && 'Super',
  ];
  return [...held.filter(Boolean), key].join('-');
}
