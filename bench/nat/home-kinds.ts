import type { PlaceKind } from '../../e2e/nat/lab-spec.ts';

/** What an agent or a renter may be behind. */
export const HOME_KINDS = [
  'open',
  'cone',
  'symmetric',
  'double',
  'udp-blocked',
  'ipv6-only',
  'dual-stack',
] as const satisfies readonly PlaceKind[];
export type HomeKind = (typeof HOME_KINDS)[number];

/** One kind before another; either may be the same. */
export interface Pair {
  readonly from: HomeKind;
  readonly to: HomeKind;
}

export const PAIRS: readonly Pair[] = HOME_KINDS.flatMap((from) => HOME_KINDS.map((to) => ({ from, to })));

/** `cone → symmetric`: a row of a result. */
export function nameOf({ from, to }: Pair): string {
  return `${from} → ${to}`;
}
