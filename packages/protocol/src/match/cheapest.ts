import type { Candidate } from './candidate.ts';

/** Cheaper first; equal rates by ask id, so that everybody who matches the same asks takes the same ones. */
export function byPrice(left: Candidate, right: Candidate): number {
  if (left.ask.rate !== right.ask.rate) return left.ask.rate < right.ask.rate ? -1 : 1;
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}

/**
 * The cheapest candidate of every agent, cheapest first. Its first `n` are the cheapest set of `n` machines: members
 * take the same number of devices, and agents do not limit each other, so taking the cheapest one after the other
 * is exact.
 */
export function cheapestOfEachAgent(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.toSorted(byPrice).filter(({ ask }) => {
    if (seen.has(ask.agentKey)) return false;
    seen.add(ask.agentKey);
    return true;
  });
}
