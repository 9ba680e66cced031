// Who is logged in at the kiosk, and how they leave so that nothing of them stays in the page.
import * as api from '../api.ts';

/** Pause before the server is asked again, in ms. */
const AGAIN = 1000;
/** Kept for as long as this view is there: somebody has left, and the server may not know yet. */
const LEAVING = 'gatepost:leaving';

/** Who is logged in: their name, and what their terminals' `owner` is. */
export interface Person {
  name: string;
  owner: string;
}

/** Whom the server knows by this page's cookie; `null`: nobody. */
export async function person(): Promise<Person | null> {
  if (sessionStorage.getItem(LEAVING) !== null) await leave();
  try {
    const { user, way } = await api.me();
    if (user === undefined) return null;
    // As the server writes it: who has no account of this machine stands after the way.
    return { name: user, owner: way === 'pam' ? user : `${way}:${user}` };
  } catch (error) {
    if (error instanceof api.ApiError && error.status === 401) return null;
    throw error;
  }
}

/**
 * Logs out, for as long as it takes: a server that isn't there just then must not find them logged in later, whatever
 * becomes of this page meanwhile.
 */
export async function leave(): Promise<void> {
  sessionStorage.setItem(LEAVING, '1');
  for (;;) {
    try {
      await api.logout();
      break;
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (error.status === 401) break;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
  sessionStorage.removeItem(LEAVING);
}
