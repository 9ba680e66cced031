// The list of terminals, kept true by the server: opened, closed, renamed or ended anywhere, it is seen here.
import type { TerminalInfo } from './api.ts';
import type { Link } from './connection.ts';
import type { Order } from './kiosk/switch.ts';
import type { Told } from './kiosk/told.ts';
import { Driver, SCREEN } from './link.ts';

/** A link that follows the list and tells each new one, once it is started. */
export function follow(page: {
  /** `lost`: which of those that are gone weren't closed, but lost. */
  listed(terminals: TerminalInfo[], lost: string[]): void;
  changed(link: Link): void;
}): Driver {
  return new Driver({
    path: 'ws/events',
    first: (token) => JSON.stringify({ token }),
    message: (data) => {
      if (typeof data !== 'string') return false;
      const { terminals, lost } = JSON.parse(data) as { terminals?: TerminalInfo[]; lost?: string[] };
      if (terminals) page.listed(terminals, lost ?? []);
      return true;
    },
    changed: (link) => page.changed(link),
  });
}

/** A link that tells the page on the machine's own screen how it is to be and what it is to do. */
export function followScreen(page: {
  /** This page's own login is gone. */
  out(): void;
  /** The server wants this page loaded anew. */
  reload(): void;
  /** How it is to be, at first and whenever that changes. */
  told(told: Told): void;
  /** Who this machine is should be shown. */
  identity(): void;
  /** A switch for people who can't use keys was pressed. */
  pressed(order: Order): void;
}): Driver {
  return new Driver({
    path: 'ws/kiosk',
    as: SCREEN,
    first: (token) => JSON.stringify({ token }),
    message: (data) => {
      if (typeof data !== 'string') return false;
      const { reload, identity, pressed, ...rest } = JSON.parse(data) as Partial<Told> & {
        reload?: boolean;
        identity?: boolean;
        pressed?: Order;
      };
      if (reload) page.reload();
      if (identity) page.identity();
      if (pressed) page.pressed(pressed);
      if (rest.kiosk && rest.machine) page.told(rest as Told);
      return true;
    },
    changed: ({ phase }) => phase === 'logged-out' && page.out(),
  });
}
