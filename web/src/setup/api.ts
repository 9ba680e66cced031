// What the machine says of being set up, and the form it takes; the same at its own screen and at its access point.

/** A Wi-Fi network in reach. */
export interface Network {
  ssid: string;
  signal: number;
  protected: boolean;
}

/** Who may set the machine up. */
export type Whom = { who: 'anyone' } | { who: 'admin'; name: string } | { who: 'nobody' };

export interface State {
  for: Whom;
  networks: Network[];
}

/** What was typed in; what is empty stays as it is. */
export type Form = Record<
  | 'admin_password'
  | 'hostname'
  | 'locale'
  | 'timezone'
  | 'keyboard'
  | 'variant'
  | 'country'
  | 'ssid'
  | 'passphrase'
  | 'name'
  | 'password'
  | 'ssh_key',
  string
> & { hidden: boolean };

/** What came of it. */
export type End =
  | { end: 'done' }
  | { end: 'wrong'; problems: { key: string; says: string }[] }
  | { end: 'password' }
  | { end: 'closed'; why: string };

/** A password's hash takes its time on a small machine, and a look around on the radio. */
const LIMIT = 130_000;

async function call<T>(init: RequestInit): Promise<T> {
  const response = await fetch('api/setup', {
    ...init,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(LIMIT),
  });
  if (!response.ok) throw new Error(`the machine says ${response.status}`);
  return (await response.json()) as T;
}

export const look = () => call<State>({ method: 'GET' });

export const take = (form: Form) =>
  call<End>({
    method: 'POST',
    body: JSON.stringify(form),
    headers: { 'Content-Type': 'application/json' },
  });
