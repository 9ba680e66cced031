// The list of terminals, kept true by the server: opened, closed, renamed or ended anywhere, it is seen here.
import type { TerminalInfo } from './api.ts';
import type { Link } from './connection.ts';
import type { Told } from './kiosk/told.ts';
import { Driver } from './link.ts';

/** A link that follows the list and tells each new one, once it is started. */
export function follow(page: {
  listed(terminals: TerminalInfo[]): void;
  changed(link: Link): void;
  /** The server wants this page loaded anew. */
  reload?(): void;
  /** On the kiosk's own screen: how it is to be, at first and whenever that changes. */
  told?(told: Told): void;
}): Driver {
  return new Driver({
    path: 'ws/events',
    first: (token) => JSON.stringify({ token }),
    message: (data) => {
      if (typeof data !== 'string') return false;
      const { terminals, reload, ...rest } = JSON.parse(data) as Partial<Told> & {
        terminals?: TerminalInfo[];
        reload?: boolean;
      };
      if (terminals) page.listed(terminals);
      if (reload) page.reload?.();
      if (rest.kiosk && rest.machine) page.told?.(rest as Told);
      return true;
    },
    changed: (link) => page.changed(link),
  });
}
