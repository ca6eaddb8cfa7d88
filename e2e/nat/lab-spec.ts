import type { LinkShape } from './shaper/link-shape.ts';

/**
 * How a place is connected.
 * - `public`: a machine in a datacentre, IPv4 and IPv6, everything comes in
 * - `open`: a home with a public IPv4 address on the machine itself, everything comes in
 * - `cone`: behind Linux's MASQUERADE, IPv4: a socket keeps its port, whatever it talks to, as long as the port is free
 * - `symmetric`: the same with `--random-fully`: a new port for each address and port it talks to
 * - `double`: behind two of the first, the outer one the operator's of the line, with 100.64.0.0/10 in between
 * - `udp-blocked`: an office, `cone` for TCP; UDP is dropped without a word, both ways
 * - `ipv6-only`: no IPv4; a public IPv6 address behind a firewall that lets in what was asked for
 * - `dual-stack`: IPv4 as in `cone` and IPv6 as in `ipv6-only`
 *
 * Behind a router, what was not asked for is dropped without a word, and what was asked of one peer is not let in from another.
 */
export type PlaceKind =
  | 'public'
  | 'open'
  | 'cone'
  | 'symmetric'
  | 'double'
  | 'udp-blocked'
  | 'ipv6-only'
  | 'dual-stack';

export type PlaceSpec =
  | PlaceKind
  /** With a shaped uplink, whose shape can be changed later. */
  | { readonly kind: PlaceKind; readonly uplink: LinkShape }
  /** A further machine in the home of another place, which has to be one behind a router. */
  | { readonly inHomeOf: string };

/** Names of places: a small letter, then at most 11 small letters, digits and hyphens. */
export type LabSpec<Place extends string> = Readonly<Record<Place, PlaceSpec>>;

export type Family = 4 | 6;

export interface KindFacts {
  readonly families: readonly Family[];
  /** Routers between the machine and the internet. */
  readonly routers: 0 | 1 | 2;
  readonly mapping: 'kept' | 'random';
  readonly udp: boolean;
}

export const KINDS: Readonly<Record<PlaceKind, KindFacts>> = {
  public: { families: [4, 6], routers: 0, mapping: 'kept', udp: true },
  open: { families: [4], routers: 0, mapping: 'kept', udp: true },
  cone: { families: [4], routers: 1, mapping: 'kept', udp: true },
  symmetric: { families: [4], routers: 1, mapping: 'random', udp: true },
  double: { families: [4], routers: 2, mapping: 'kept', udp: true },
  'udp-blocked': { families: [4], routers: 1, mapping: 'kept', udp: false },
  'ipv6-only': { families: [6], routers: 1, mapping: 'kept', udp: true },
  'dual-stack': { families: [4, 6], routers: 1, mapping: 'kept', udp: true },
};

/** One connection to the internet and the machines behind it. */
export interface HomePlan {
  /** The name of its first machine. */
  readonly name: string;
  readonly kind: PlaceKind;
  readonly uplink: LinkShape | undefined;
  readonly machines: readonly string[];
}

/** The homes of a spec. Throws on names that cannot be, and on homes that are not there. */
export function planHomes(spec: LabSpec<string>): readonly HomePlan[] {
  const places = Object.entries(spec);
  const homes = new Map<string, { plan: Omit<HomePlan, 'machines'>; machines: string[] }>();
  for (const [name, place] of places) {
    if (!/^[a-z][a-z0-9-]{0,11}$/.test(name)) throw new Error(`a place cannot be called ${JSON.stringify(name)}`);
    if (typeof place === 'object' && 'inHomeOf' in place) continue;
    const { kind, uplink } = typeof place === 'string' ? { kind: place, uplink: undefined } : place;
    homes.set(name, { plan: { name, kind, uplink }, machines: [name] });
  }
  for (const [name, place] of places) {
    if (typeof place !== 'object' || !('inHomeOf' in place)) continue;
    const home = homes.get(place.inHomeOf);
    if (home === undefined || KINDS[home.plan.kind].routers === 0) {
      throw new Error(`${name} cannot be in the home of ${place.inHomeOf}: that is no place behind a router`);
    }
    home.machines.push(name);
  }
  return [...homes.values()].map(({ plan, machines }) => ({ ...plan, machines }));
}
