// Scanning for people who reach everything by one or two switches: a highlight moves over rows, then over groups
// of a row, then over keys; choosing goes in, or presses. Pure.

/** What is scanned: something to press, or a group of more. */
export type Node<T> = { press: T } | { group: Node<T>[] };

/** Rows longer than this are scanned in groups first. */
const GROUP = 5;

/** Where the scan stands: the way down from the top. The number past the last node means "back up". */
export interface Scan {
  path: readonly number[];
  /** Passes over the present level without a choice. */
  passes: number;
}

/** Nothing is highlighted. */
export const AT_REST: Scan = { path: [], passes: 0 };
/** After so many passes without a choice it goes up a level; at the top, to rest. */
export const PASSES = 3;

/** A row as it is scanned: in groups if it is long. */
export function grouped<T>(items: readonly T[]): Node<T> {
  const keys = items.map((press): Node<T> => ({ press }));
  if (keys.length <= GROUP + 1) return { group: keys };
  const groups = Math.ceil(keys.length / GROUP);
  const size = Math.ceil(keys.length / groups);
  const parts = Array.from({ length: groups }, (_, at) => keys.slice(at * size, (at + 1) * size));
  return { group: parts.filter((part) => part.length > 0).map((group) => ({ group })) };
}

/** The nodes of the level the scan is in. */
function level<T>(top: readonly Node<T>[], path: readonly number[]): readonly Node<T>[] {
  let nodes = top;
  for (const at of path.slice(0, -1)) {
    const node = nodes[at];
    if (!node || !('group' in node)) return [];
    nodes = node.group;
  }
  return nodes;
}

/** The highlight moves on. */
export function next<T>(top: readonly Node<T>[], { path, passes }: Scan): Scan {
  if (top.length === 0) return AT_REST;
  if (path.length === 0) return { path: [0], passes: 0 };
  const nodes = level(top, path);
  const above = path.slice(0, -1);
  const at = (path.at(-1) ?? 0) + 1;
  // Below the top, "back up" comes after the last one.
  const last = above.length === 0 ? nodes.length - 1 : nodes.length;
  if (at <= last) return { path: [...above, at], passes };
  if (passes + 1 >= PASSES) return { path: above, passes: 0 };
  return { path: [...above, 0], passes: passes + 1 };
}

/** What is highlighted is chosen: something to press, or the next level down, or the one above. */
export function choose<T>(top: readonly Node<T>[], scan: Scan): [Scan, T | null] {
  const { path } = scan;
  if (path.length === 0) return [next(top, scan), null];
  const node = level(top, path)[path.at(-1) ?? 0];
  if (!node) return [{ path: path.slice(0, -1), passes: 0 }, null];
  if ('press' in node) return [{ path: [0], passes: 0 }, node.press];
  // A group of one needs no second look.
  const [only, ...more] = node.group;
  if (only && more.length === 0 && 'press' in only) return [{ path: [0], passes: 0 }, only.press];
  return [{ path: [...path, 0], passes: 0 }, null];
}

/** Everything under the highlight; `back`: it is on "back up", and these are what it goes back from. */
export function highlighted<T>(top: readonly Node<T>[], { path }: Scan): { items: T[]; back: boolean } {
  if (path.length === 0) return { items: [], back: false };
  const nodes = level(top, path);
  const node = nodes[path.at(-1) ?? 0];
  return node ? { items: leaves([node]), back: false } : { items: leaves(nodes), back: true };
}

function leaves<T>(nodes: readonly Node<T>[]): T[] {
  return nodes.flatMap((node) => ('press' in node ? [node.press] : leaves(node.group)));
}
