// The list of terminals, kept true by the server: opened, closed, renamed or ended anywhere, it is seen here.
import type { TerminalInfo } from './api.ts';
import type { Link } from './connection.ts';
import type { Order } from './kiosk/switch.ts';
import type { Told } from './kiosk/told.ts';
import { Driver } from './link.ts';

/** A link that follows the list and tells each new one, once it is started. */
export function follow(page: {
  /** `lost`: which of those that are gone weren't closed, but lost. */
  listed(terminals: TerminalInfo[], lost: string[]): void;
  changed(link: Link): void;
  /** The server wants this page loaded anew. */
  reload?(): void;
  /** On the kiosk's own screen: how it is to be, at first and whenever that changes. */
  told?(told: Told): void;
  /** There: who this machine is should be shown. */
  identity?(): void;
  /** There: a switch for people who can't use keys was pressed. */
  pressed?(order: Order): void;
}): Driver {
  return new Driver({
    path: 'ws/events',
    first: (token) => JSON.stringify({ token }),
    message: (data) => {
      if (typeof data !== 'string') return false;
      const { terminals, lost, reload, identity, pressed, ...rest } = JSON.parse(data) as Partial<Told> & {
        terminals?: TerminalInfo[];
        lost?: string[];
        reload?: boolean;
        identity?: boolean;
        pressed?: Order;
      };
      if (terminals) page.listed(terminals, lost ?? []);
      if (reload) page.reload?.();
      if (identity) page.identity?.();
      if (pressed) page.pressed?.(pressed);
      if (rest.kiosk && rest.machine) page.told?.(rest as Told);
      return true;
    },
    changed: (link) => page.changed(link),
  });
}
