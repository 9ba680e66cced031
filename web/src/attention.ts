// What happened in terminals while nobody looked, and the watches a person set: "tell me when …".
import { onOutput, onTick, type Watch, type Watching, watch } from './activity.ts';

/** What happened in a terminal while nobody looked. */
export type Mark = 'output' | 'bell' | 'ended' | 'told';

/** The page around. */
export interface Looker {
  /** Whether the person sees this terminal now. */
  inView(id: string): boolean;
  /** A mark was set or taken away. */
  marked(): void;
  /** A watch came true. */
  tell(id: string, what: string): void;
}

export class Attention {
  readonly #watches = new Map<string, Watch>();
  readonly #marks = new Map<string, Mark>();

  constructor(private readonly looker: Looker) {
    setInterval(() => this.#tick(), 1000);
  }

  markOf(id: string): Mark | null {
    return this.#marks.get(id) ?? null;
  }

  watching(id: string): Watching {
    return this.#watches.get(id)?.watching ?? 'nothing';
  }

  /** Whether anything but plain output waits to be seen. */
  get loud(): boolean {
    return [...this.#marks.values()].some((mark) => mark !== 'output');
  }

  /** The program wrote something. */
  output(id: string): void {
    this.mark(id, 'output');
    const state = this.#watches.get(id);
    if (!state) return;
    const [next, tell] = onOutput(state, Date.now(), this.looker.inView(id));
    this.#watches.set(id, next);
    if (tell) this.#tell(id, 'is active');
  }

  mark(id: string, mark: Mark): void {
    if (this.looker.inView(id)) return;
    // A bell is not hidden by the output after it.
    if (mark === 'output' && this.#marks.has(id)) return;
    if (this.#marks.get(id) === mark) return;
    this.#marks.set(id, mark);
    this.looker.marked();
  }

  /** The person looks at it. */
  seen(id: string): void {
    if (this.#marks.delete(id)) this.looker.marked();
  }

  allSeen(): void {
    this.#marks.clear();
    this.looker.marked();
  }

  watch(id: string, watching: Watching): void {
    if (watching === 'nothing') this.#watches.delete(id);
    else {
      this.#watches.set(id, watch(watching));
      // Asked for here because a browser wants a click before.
      if ('Notification' in window && Notification.permission === 'default')
        void Notification.requestPermission();
    }
    this.looker.marked();
  }

  forget(id: string): void {
    this.#watches.delete(id);
    this.#marks.delete(id);
  }

  #tick(): void {
    for (const [id, state] of this.#watches) {
      const [next, tell] = onTick(state, Date.now());
      this.#watches.set(id, next);
      if (tell) this.#tell(id, 'has been silent for 10 seconds');
    }
  }

  #tell(id: string, what: string): void {
    this.mark(id, 'told');
    this.looker.tell(id, what);
  }
}

/** Shows a notification of the desktop's, when the person allowed it and isn't looking. */
export function notifyDesktop(sentence: string, tag: string, show: () => void): void {
  if (document.visibilityState === 'visible') return;
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  const note = new Notification('Gatepost', { body: sentence, tag });
  note.onclick = () => {
    window.focus();
    show();
  };
}
