import type { Candidate } from './candidate.ts';
import { byPrice, cheapestOfEachAgent } from './cheapest.ts';
import type { Refusal, RefusalReason, Relaxation } from './refusal.ts';
import { refusalText } from './refusal-text.ts';
import { relax } from './relax.ts';
import type { Requirements } from './requirements.ts';
import { type Shortfall, shortfallsAgainst } from './shortfalls.ts';

export interface MatchResult {
  /** The cheapest `machines` asks, each of another agent, cheapest first; empty if too few fit. */
  readonly chosen: readonly Candidate[];
  /** The next cheapest of further agents, at most `spares`; empty if nothing was chosen. */
  readonly spares: readonly Candidate[];
  /** One per ask that is not among the chosen; what comes nearest to the order first. */
  readonly refusals: readonly Refusal[];
  /** What smallest single changes would make the order match; empty if it does. */
  readonly relaxations: readonly Relaxation[];
}

/**
 * Matches an order to asks. The one matcher of books and clients: pure, and the same answer for any order of
 * `candidates`, so that a client can recompute what a book says from the signed asks alone.
 *
 * An ask fits if it falls short in nothing (`shortfallsAgainst`); its price per device-hour is rounded up before it is
 * held against the limit. Among those that fit, the cheapest set is exact; equal rates go by ask id.
 *
 * @param candidates checked asks; each id once
 */
export function matchOrder(requirements: Requirements, candidates: readonly Candidate[]): MatchResult {
  const shortfallsOf = shortfallsAgainst(requirements);
  const judged = candidates.map((candidate) => ({ candidate, falls: shortfallsOf(candidate) }));
  const fitting = judged.filter(({ falls }) => falls.length === 0).map(({ candidate }) => candidate);
  const best = cheapestOfEachAgent(fitting);
  const matched = best.length >= requirements.machines;
  const chosen = matched ? best.slice(0, requirements.machines) : [];
  const taken = new Set(chosen.map(({ id }) => id));
  const bestIds = new Set(best.map(({ id }) => id));
  const reasonFor = ({ candidate: { id }, falls: [first] }: Judged): RefusalReason =>
    first ?? (!bestIds.has(id) ? 'same-machine' : matched ? 'not-needed' : 'too-few');

  return {
    chosen,
    spares: matched ? best.slice(requirements.machines, requirements.machines + requirements.spares) : [],
    refusals: judged
      .filter(({ candidate }) => !taken.has(candidate.id))
      .sort((a, b) => a.falls.length - b.falls.length || byPrice(a.candidate, b.candidate))
      .map((one) => {
        const reason = reasonFor(one);
        return { ask: one.candidate.id, reason, text: refusalText(requirements, one.candidate, reason) };
      }),
    relaxations: matched ? [] : relax(requirements, { fitting, missing: missingOne(judged) }),
  };
}

interface Judged {
  readonly candidate: Candidate;
  readonly falls: readonly Shortfall[];
}

/** The asks that fall short in one thing only, by that thing. */
function missingOne(judged: readonly Judged[]): ReadonlyMap<Shortfall, readonly Candidate[]> {
  const missing = new Map<Shortfall, Candidate[]>();
  for (const { candidate, falls } of judged) {
    const [only, ...others] = falls;
    if (only === undefined || others.length > 0) continue;
    const known = missing.get(only);
    if (known === undefined) missing.set(only, [candidate]);
    else known.push(candidate);
  }
  return missing;
}
