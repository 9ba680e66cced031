// The server's HTTP side (docs/http-api.md). Addresses are relative to the page, so a proxy prefix works.
import type { Action, Outcome } from './actions.ts';
import type { Size } from './frames.ts';

/** One terminal in the list. */
export interface TerminalInfo {
  id: string;
  name: string | null;
  title: string | null;
  command: string[];
  size: Size;
  pid: number | null;
  opened: number;
  last_output: number | null;
  viewers: number;
  exit_status: number | null;
  exit_signal: number | null;
  bells: number;
  owner?: string | null;
  /** What it is for, in the words of whoever opened it. */
  labels?: Record<string, string>;
  keeper: string;
}

/** The server said no, or nothing: `status` 0 means it could not be reached. */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

/** How long an answer may take, in ms. */
const LIMIT = 8000;
/** How long one question waits for something to come true, in ms; then it is asked again. */
const ROUND = 25_000;

/** How long the server may take to judge an answer, in ms: PAM modules wait for phones and tokens. */
const JUDGE_LIMIT = 130_000;

async function call(method: string, path: string, body?: unknown, limit = LIMIT): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      // What is kept is kept also when the page is left meanwhile.
      keepalive: method === 'PUT',
      signal: AbortSignal.timeout(limit),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
  } catch {
    throw new ApiError(0, 'unreachable', 'the server does not answer');
  }
  if (response.ok) return response;
  const problem: unknown = await response.json().catch(() => null);
  const { kind, message } = (problem as { error?: { kind?: string; message?: string } } | null)?.error ?? {};
  throw new ApiError(response.status, kind ?? 'failed', message ?? `the server answered ${response.status}`);
}

/** Exchanges a one-time token for the login cookie. */
export async function login(token: string): Promise<void> {
  await call('POST', 'api/login', { token });
}

/** A way to log in; with a `link` it leads elsewhere, or, with `post`, is asked there. */
export interface WayIn {
  way: string;
  link: string | null;
  label?: string;
  /** Ask there, by POST, instead of going there: the answer is the cookie. */
  post?: boolean;
}

/** A question on the way in. */
export interface Prompt {
  text: string;
  echo: boolean;
}

/** Where a conversation stands. */
export interface Turn {
  conversation: string;
  notes: { text: string; error: boolean }[];
  prompts: Prompt[];
}

/** How one may log in here. */
export async function ways(): Promise<WayIn[]> {
  return ((await (await call('GET', 'api/ways')).json()) as { ways: WayIn[] }).ways;
}

/** Begins a conversation about a name; `null` when that was enough. */
export function begin(user: string): Promise<Turn | null> {
  return converse({ user });
}

/** Goes on with a conversation; `null` when one is in. */
export function answer(conversation: string, answers: string[]): Promise<Turn | null> {
  return converse({ conversation, answers });
}

async function converse(said: unknown): Promise<Turn | null> {
  const response = await call('POST', 'api/login/pam', said, JUDGE_LIMIT);
  return response.status === 204 ? null : ((await response.json()) as Turn);
}

/** Logs in with what another application gave: an auth object as it is. */
export async function loginWithObject(object: unknown): Promise<void> {
  await call('POST', 'api/login/api', object, JUDGE_LIMIT);
}

/** Logs in with a one-time token another application made. */
export async function loginWithToken(token: string): Promise<void> {
  await call('POST', 'api/login/token', { token });
}

/** Logs in by a way that only has to be asked: a certificate, a ticket, or nobody asks. */
export async function loginAt(link: string): Promise<void> {
  await call('POST', link, {}, JUDGE_LIMIT);
}

/** The administrator's first password, on the kiosk's own screen only; `null` once it was noted. */
export async function freshPassword(): Promise<{ user: string; password: string } | null> {
  try {
    return (await (await call('GET', 'api/fresh-password')).json()) as { user: string; password: string };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** What browsers elsewhere are shown; `null` where nothing is encrypted. */
export async function certificate(): Promise<{
  address: string;
  fingerprint: string;
  self_signed: boolean;
} | null> {
  try {
    return (await (await call('GET', 'api/certificate')).json()) as {
      address: string;
      fingerprint: string;
      self_signed: boolean;
    };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** What came of the files on the card's first partition. */
export interface Provisioning {
  applied: boolean;
  lines: { wrong: boolean; text: string }[];
}

/** The report of it, on the kiosk's own screen only; `null` where there were no files. */
export async function provisioning(): Promise<Provisioning | null> {
  try {
    return (await (await call('GET', 'api/provisioning')).json()) as Provisioning;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** Somebody has noted it. */
export async function passwordNoted(): Promise<void> {
  await call('DELETE', 'api/fresh-password');
}

/** One place where somebody is logged in. */
export interface LoginInfo {
  id: string;
  current: boolean;
  address: string | null;
  browser: string;
  made: number;
  used: number;
}

/** One's own logins. */
export async function logins(): Promise<LoginInfo[]> {
  return ((await (await call('GET', 'api/logins')).json()) as { logins: LoginInfo[] }).logins;
}

/** Ends one of one's own logins. */
export async function revoke(id: string): Promise<void> {
  await call('DELETE', `api/logins/${id}`);
}

/** Whether this browser is logged in. */
export async function loggedIn(): Promise<boolean> {
  try {
    await call('GET', 'api/login');
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

/** Who this browser is logged in as, and what that may do (the keys of the configuration's `allow`). */
export interface Me {
  principal: 'owner' | 'kiosk' | 'user';
  user?: string;
  /** How that was proved. */
  way?: string;
  may: string[];
}

export async function me(): Promise<Me> {
  return (await (await call('GET', 'api/me')).json()) as Me;
}

/** What this person chose for the page, wherever they did; `null` while nothing. */
export async function choices(): Promise<unknown> {
  return ((await (await call('GET', 'api/choices')).json()) as { choices: unknown }).choices;
}

export async function keepChoices(choices: object): Promise<void> {
  await call('PUT', 'api/choices', { choices });
}

/** Has an action done. */
export async function act(action: Action): Promise<Outcome> {
  return (await (await call('POST', 'api/actions', action)).json()) as Outcome;
}

/** Who has read a message. */
export interface ReadBy {
  by: string;
  kiosk: boolean;
  at: number;
}

/** Waits, for as long as it takes, until somebody has read a message over this terminal. */
export async function read(terminal: string, message: number): Promise<ReadBy> {
  for (;;) {
    const question = { op: 'wait', for: { acknowledged: message }, timeout_ms: ROUND };
    const response = await call('POST', `api/terminals/${terminal}/ask`, question, ROUND + LIMIT);
    const answer = (await response.json()) as { ok: ReadBy } | { error: { kind: string; message: string } };
    if ('ok' in answer) return answer.ok;
    if (answer.error.kind !== 'timeout') throw new Error(answer.error.message);
  }
}

export async function logout(): Promise<void> {
  await call('POST', 'api/logout');
}

/** A token for one WebSocket, good for 20 s. */
export async function oneTimeToken(): Promise<string> {
  const response = await call('POST', 'api/token');
  return ((await response.json()) as { token: string }).token;
}

/** The same for the WebSocket of the machine's own screen, which only that gets. */
export async function screenToken(): Promise<string> {
  const response = await call('POST', 'api/kiosk/token');
  return ((await response.json()) as { token: string }).token;
}

/** Whether this is the page on the machine's own screen, whoever is logged in at it. */
export async function isScreen(): Promise<boolean> {
  try {
    await screenToken();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

export async function list(): Promise<TerminalInfo[]> {
  const response = await call('GET', 'api/terminals');
  return ((await response.json()) as { terminals: TerminalInfo[] }).terminals;
}

/** A command that may be opened, by its name. */
export interface Offer {
  name: string;
  description: string | null;
  /** The name of an icon, or a character or two. */
  icon: string | null;
}

/** What may be opened here. */
export interface Offers {
  commands: Offer[];
  default: string | null;
  shell: boolean;
}

export async function offers(): Promise<Offers> {
  return (await (await call('GET', 'api/commands')).json()) as Offers;
}

/** Opens a terminal and gives its id. */
export async function open(wanted: { name?: string; program?: string; size?: Size } = {}): Promise<string> {
  const response = await call('POST', 'api/terminals', wanted);
  return ((await response.json()) as { terminal: string }).terminal;
}

/** Gives a terminal a name; `null` takes it away, and the program's title counts again. */
export async function rename(id: string, name: string | null): Promise<void> {
  await call('PATCH', `api/terminals/${id}`, { name });
}

export async function close(id: string): Promise<void> {
  await call('DELETE', `api/terminals/${id}`);
}

/** Rescues a terminal left in a bad state. */
export async function reset(id: string): Promise<void> {
  await call('POST', `api/terminals/${id}/reset`);
}

/** Where the whole text can be downloaded. */
export function textAddress(id: string): string {
  return `api/terminals/${id}/text?scrollback=1`;
}

/** The address of a WebSocket beside the page. */
export function socketAddress(path: string): string {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol.replace('http', 'ws');
  url.hash = '';
  return url.href;
}
