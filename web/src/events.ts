// The list of terminals, kept true by the server: opened, closed, renamed or ended anywhere, it is seen here.
import type { TerminalInfo } from './api.ts';
import type { Link } from './connection.ts';
import { Driver } from './link.ts';

/** A link that follows the list and tells each new one, once it is started. */
export function follow(page: {
  listed(terminals: TerminalInfo[]): void;
  changed(link: Link): void;
  /** The server wants this page loaded anew. */
  reload?(): void;
}): Driver {
  return new Driver({
    path: 'ws/events',
    first: (token) => JSON.stringify({ token }),
    message: (data) => {
      if (typeof data !== 'string') return false;
      const { terminals, reload } = JSON.parse(data) as { terminals?: TerminalInfo[]; reload?: boolean };
      if (terminals) page.listed(terminals);
      if (reload) page.reload?.();
      return true;
    },
    changed: (link) => page.changed(link),
  });
}
