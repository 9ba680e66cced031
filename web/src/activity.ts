// "Tell me when this terminal gets active" and "… falls silent": pure, one watch per terminal.

/** Silence that counts, in ms: longer than a compiler thinks about one file, shorter than a coffee. */
export const SILENCE = 10_000;

export type Watching = 'nothing' | 'active' | 'silent';

/** One terminal's watch. Times in ms. */
export interface Watch {
  readonly watching: Watching;
  /** When output was last seen since the watch began, `null` if none yet. */
  readonly last: number | null;
  /** Whether this burst (or this silence) has been told already. */
  readonly told: boolean;
}

export const NO_WATCH: Watch = { watching: 'nothing', last: null, told: false };

/** Starts or ends a watch. */
export function watch(watching: Watching): Watch {
  return { ...NO_WATCH, watching };
}

/** Output came; `seen` when the person is looking at it. The second value: tell them. */
export function onOutput(state: Watch, now: number, seen: boolean): [Watch, boolean] {
  if (state.watching === 'nothing') return [state, false];
  if (state.watching === 'silent') return [{ ...state, last: now, told: false }, false];
  const burst = state.last === null || now - state.last >= SILENCE;
  const fresh = burst || !state.told;
  return [{ ...state, last: now, told: !seen && fresh ? true : burst ? false : state.told }, fresh && !seen];
}

/** Time passed. The second value: tell them. */
export function onTick(state: Watch, now: number): [Watch, boolean] {
  const silent =
    state.watching === 'silent' && !state.told && state.last !== null && now - state.last >= SILENCE;
  return silent ? [{ ...state, told: true }, true] : [state, false];
}
