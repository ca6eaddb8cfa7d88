import { openLab } from '../../e2e/nat/lab.ts';
import { type LabPeer, openLabPeers } from '../../e2e/nat/lab-peers.ts';
import type { PlaceKind, PlaceSpec } from '../../e2e/nat/lab-spec.ts';
import { HOME_KINDS, type HomeKind } from './home-kinds.ts';

/** A peer in two homes of every kind, and a book that all know. */
export interface Homes extends AsyncDisposable {
  /** The one that dials. */
  dialler(kind: HomeKind): LabPeer;
  listener(kind: HomeKind): LabPeer;
}

const BOOK = 'book';
/** Starting all at once would only have them wait for each other. */
const AT_ONCE = 4;

/** @param delayMs of every uplink, the book's too, each way; undefined: as fast as it goes */
export async function openHomes(delayMs: number | undefined): Promise<Homes> {
  let seed = 0;
  const place = (kind: PlaceKind): PlaceSpec => {
    if (delayMs === undefined) return kind;
    seed += 1;
    return { kind, uplink: { seed, up: { delayMs }, down: { delayMs } } };
  };
  await using started = new AsyncDisposableStack();
  const homes = HOME_KINDS.flatMap((kind) => [
    [nameOf(kind, 'dialler'), place(kind)] as const,
    [nameOf(kind, 'listener'), place(kind)] as const,
  ]);
  const lab = started.use(await openLab<string>({ [BOOK]: place('public'), ...Object.fromEntries(homes) }));
  const peers = started.use(await openLabPeers(lab, [BOOK]));
  const { url } = await peers.book(BOOK);
  const running = new Map<string, LabPeer>();
  const waiting = homes.map(([name]) => name);
  const start = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      running.set(name, await peers.peer(name, [url]));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, start));
  const find = (kind: HomeKind, role: Role) => {
    const peer = running.get(nameOf(kind, role));
    if (peer === undefined) throw new Error(`no ${role} in a home of kind ${kind}`);
    return peer;
  };
  const all = started.move();
  return {
    dialler: (kind) => find(kind, 'dialler'),
    listener: (kind) => find(kind, 'listener'),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

type Role = 'dialler' | 'listener';

function nameOf(kind: HomeKind, role: Role): string {
  return role === 'dialler' ? kind : `${kind}2`;
}
