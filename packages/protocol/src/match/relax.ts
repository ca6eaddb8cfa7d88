import { hourlyFromRateUp } from '../money/rate.ts';
import type { Candidate } from './candidate.ts';
import { cheapestOfEachAgent } from './cheapest.ts';
import type { Relaxation } from './refusal.ts';
import { hourText } from './refusal-text.ts';
import { relaxationRules } from './relaxation-rules.ts';
import type { Requirements } from './requirements.ts';
import { type Shortfall, shortfallsAgainst } from './shortfalls.ts';

/** What the search for relaxations looks at: the asks that fit, and those that fall short in one thing only. */
export interface NearMisses {
  readonly fitting: readonly Candidate[];
  readonly missing: ReadonlyMap<Shortfall, readonly Candidate[]>;
}

/**
 * For every field of the requirements by which one change makes them match: the smallest such change, with what the
 * machines would then cost. Exact (for regions and operators see `smallestCover`).
 * @param requirements that too few agents fit
 */
export function relax(requirements: Requirements, near: NearMisses): Relaxation[] {
  const fittingAgents = new Set(near.fitting.map(({ ask }) => ask.agentKey));
  return relaxationRules.flatMap(({ field, shortfall, propose }) => {
    const missing = shortfall === undefined ? [] : (near.missing.get(shortfall) ?? []);
    const proposal = propose({
      requirements,
      fittingAgents: fittingAgents.size,
      newcomers: missing.filter(({ ask }) => !fittingAgents.has(ask.agentKey)),
    });
    if (proposal === undefined) return [];
    const chosen = cheapestThatFit(proposal.requirements, [...near.fitting, ...missing]);
    if (chosen === undefined) return [];
    const priced = field === 'maxPricePerDeviceHour' ? proposal.text : `${proposal.text}: ${spanText(chosen)}`;
    return [{ field, value: proposal.value, text: priced, pricePerDeviceHour: chosen.most.toString() }];
  });
}

interface PriceSpan {
  readonly least: bigint;
  readonly most: bigint;
}

/** Prices per device-hour of the machines that would be taken; undefined if there are too few. */
function cheapestThatFit(requirements: Requirements, candidates: readonly Candidate[]): PriceSpan | undefined {
  const shortfallsOf = shortfallsAgainst(requirements);
  const chosen = cheapestOfEachAgent(candidates.filter((candidate) => shortfallsOf(candidate).length === 0)).slice(
    0,
    requirements.machines,
  );
  const [first, last] = [chosen.at(0), chosen.at(-1)];
  if (first === undefined || last === undefined || chosen.length < requirements.machines) return undefined;
  return { least: hourlyFromRateUp(first.ask.rate), most: hourlyFromRateUp(last.ask.rate) };
}

function spanText({ least, most }: PriceSpan): string {
  return least === most ? hourText(most) : `${hourText(least)} to ${hourText(most)}`;
}
