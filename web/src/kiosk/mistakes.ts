// What is wrong with the files the machine was given its settings by, on its own screen.
import * as api from '../api.ts';
import type { Kiosk } from './kiosk.ts';

/** Most mistakes that are shown; who mends those sees the next. */
const MOST = 3;

/** Shows them until somebody closes them. */
export async function showMistakes(kiosk: Kiosk): Promise<void> {
  const report = await api.provisioning().catch(() => null);
  const wrong = report?.lines.filter((line) => line.wrong) ?? [];
  for (const { text } of wrong.slice(0, MOST)) {
    kiosk.warn(report?.applied ? text : `Not taken over from the card: ${text}`);
  }
}
