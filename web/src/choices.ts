// What a person chose, on the server: there in another browser, too.
import * as api from './api.ts';
import { type Settings, understood } from './settings.ts';

/** Pause after a change before it is kept, in ms: somebody walks through the colours. */
const SETTLED = 500;

export class Choices {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #latest: Settings | null = null;

  constructor(private readonly failed: (text: string) => void) {
    // Leaving at once is no reason to lose the last change.
    addEventListener('pagehide', () => void this.#send());
  }

  /** What was chosen before; `null` when nothing was, or is newer here. */
  async kept(): Promise<Settings | null> {
    const found = await api.choices().catch(() => null);
    return found === null || this.#latest !== null ? null : understood(found);
  }

  keep(settings: Settings): void {
    this.#latest = settings;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), SETTLED);
  }

  async #send(): Promise<void> {
    if (this.#timer === null || this.#latest === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    try {
      await api.keepChoices(this.#latest);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.failed(`Your settings hold in this browser only: ${why}.`);
    }
  }
}
