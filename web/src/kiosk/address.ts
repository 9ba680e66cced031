// Where others find this machine, from what the server knows: pure.

/** A machine as the server tells of it. */
export interface Machine {
  /** Where the server believes to be found; made when it started, perhaps before there was a network. */
  address: string;
  /** What addresses it has now. */
  addresses: readonly string[];
}

const isV6 = (address: string) => address.includes(':');
const inUrl = (address: string) => (isV6(address) ? `[${address}]` : address);
/** A URL's host that only means this machine itself, or nothing. */
const NOWHERE = /^(?:127\.[\d.]+|localhost|\[::1?\]|0\.0\.0\.0)$/;
const NUMBERS = /^(?:[\d.]+|\[[\da-f:.]+\])$/i;

/**
 * The addresses to tell people, the one to try first in front: a name if the server goes by one; else IPv4; IPv6 if
 * there is nothing else. Empty: nobody but this machine itself reaches it.
 */
export function whereabouts({ address, addresses }: Machine): string[] {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return [];
  }
  const { hostname, protocol, port, pathname } = url;
  if (!NUMBERS.test(hostname) && hostname !== 'localhost') return [url.href];
  // What isn't encrypted is for this machine alone.
  if (protocol !== 'https:' && NOWHERE.test(hostname)) return [];
  const here = [...addresses.filter((one) => !isV6(one)), ...addresses.filter(isV6)].map(inUrl);
  // An address of its own it was told to listen on goes first; one it has no more doesn't count.
  const first = here.includes(hostname) ? [hostname] : [];
  const hosts = [...new Set([...first, ...here])];
  const v4 = hosts.filter((host) => !host.startsWith('['));
  const told = v4.length > 0 ? v4 : hosts;
  return told.map((host) => `${protocol}//${host}${port ? `:${port}` : ''}${pathname}`);
}

/** A fingerprint in lines of eight bytes, which two people can compare by reading aloud. */
export function lines(fingerprint: string): string[] {
  const bytes = fingerprint.split(':');
  return Array.from({ length: Math.ceil(bytes.length / 8) }, (_, at) =>
    bytes.slice(at * 8, at * 8 + 8).join(' '),
  );
}
