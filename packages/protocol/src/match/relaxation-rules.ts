import { hourlyFromRateUp } from '../money/rate.ts';
import type { Candidate } from './candidate.ts';
import type { Relaxation } from './refusal.ts';
import { hourText, listText } from './refusal-text.ts';
import { MAX_REGIONS, type Requirements } from './requirements.ts';
import { freeDevicesOf, type Shortfall } from './shortfalls.ts';
import { smallestCover } from './smallest-cover.ts';

/** What a rule sees of an order that too few agents fit. */
interface Shortage {
  readonly requirements: Requirements;
  /** How many agents fit as it is; fewer than `requirements.machines`. */
  readonly fittingAgents: number;
  /** Asks of other agents that fall short only in the rule's own thing. */
  readonly newcomers: readonly Candidate[];
}

interface Proposal {
  readonly requirements: Requirements;
  /** The changed field, as text. */
  readonly value: string;
  /** The change in plain words. */
  readonly text: string;
}

interface RelaxationRule {
  readonly field: Relaxation['field'];
  /** What asks fall short in that the rule can let in; none if it lets nothing in. */
  readonly shortfall?: Shortfall;
  /** The smallest change that could do; whether it does is checked afterwards. */
  readonly propose: (shortage: Shortage) => Proposal | undefined;
}

type LowerBound = 'minMemoryMiB' | 'minCpuCores' | 'minDeviceMemoryMiB' | 'devicesPerMachine' | 'seconds';

/** One rule per field; nobody's absence can be relaxed. */
export const relaxationRules: readonly RelaxationRule[] = [
  { field: 'machines', propose: fewerMachines },
  { field: 'maxPricePerDeviceHour', shortfall: 'price', propose: higherPrice },
  lowered('minMemoryMiB', 'memory', (one) => one.resource.memoryMiB, 'MiB of memory'),
  lowered('minCpuCores', 'cpu-cores', (one) => one.resource.cpuCores, 'CPU cores'),
  lowered('minDeviceMemoryMiB', 'device-memory', (one) => one.resource.deviceMemoryMiB, 'MiB per device'),
  lowered('devicesPerMachine', 'devices', freeDevicesOf, 'devices per machine'),
  lowered('seconds', 'length', (one) => one.ask.maxSeconds, 'seconds'),
  { field: 'regions', shortfall: 'region', propose: moreRegions },
  { field: 'isolation', shortfall: 'isolation', propose: noIsolation },
  { field: 'model', shortfall: 'model', propose: anyModel },
  { field: 'kind', shortfall: 'kind', propose: otherKind },
  { field: 'excludeOperators', shortfall: 'excluded', propose: fewerExcluded },
];

function fewerMachines({ requirements, fittingAgents: machines }: Shortage): Proposal | undefined {
  if (machines === 0) return undefined;
  return {
    requirements: { ...requirements, machines },
    value: machines.toString(),
    text: `${machines} ${machines === 1 ? 'machine' : 'machines'} instead of ${requirements.machines}`,
  };
}

function higherPrice(shortage: Shortage): Proposal | undefined {
  const limit = shortage.requirements.maxPricePerDeviceHour;
  const distance = distanceToEnough(shortage, ({ ask }) => hourlyFromRateUp(ask.rate) - limit);
  if (distance === undefined) return undefined;
  const price = limit + distance;
  return {
    requirements: { ...shortage.requirements, maxPricePerDeviceHour: price },
    value: price.toString(),
    text: `at most ${hourText(price)} instead of ${hourText(limit)}`,
  };
}

function lowered(
  field: LowerBound,
  shortfall: Shortfall,
  amountOf: (candidate: Candidate) => number,
  unit: string,
): RelaxationRule {
  return {
    field,
    shortfall,
    propose: (shortage) => {
      const wanted = shortage.requirements[field];
      const distance = distanceToEnough(shortage, (candidate) => BigInt(wanted - amountOf(candidate)));
      if (distance === undefined) return undefined;
      const value = wanted - Number(distance);
      if (field === 'devicesPerMachine' && value === 0) return undefined;
      return {
        requirements: { ...shortage.requirements, [field]: value },
        value: value.toString(),
        text: `${value} ${unit} instead of ${wanted}`,
      };
    },
  };
}

function moreRegions(shortage: Shortage): Proposal | undefined {
  const added = coverBy(shortage, ({ resource }) => resource.region);
  if (added === undefined) return undefined;
  const regions = [...shortage.requirements.regions, ...added];
  if (regions.length > MAX_REGIONS) return undefined;
  return {
    requirements: { ...shortage.requirements, regions },
    value: regions.join(','),
    text: `also in ${listText(added, 'and')}`,
  };
}

function noIsolation({ requirements }: Shortage): Proposal {
  return {
    requirements: { ...requirements, isolation: 'none' },
    value: 'none',
    text: 'also machines that run jobs without isolation',
  };
}

function anyModel({ requirements }: Shortage): Proposal {
  return {
    requirements: { ...requirements, model: '' },
    value: '',
    text: `any model instead of "${requirements.model}"`,
  };
}

function otherKind({ requirements }: Shortage): Proposal {
  const kind = requirements.kind === 'gpu' ? 'cpu' : 'gpu';
  return {
    requirements: { ...requirements, kind },
    value: kind,
    text: `${kind} devices instead of ${requirements.kind}`,
  };
}

function fewerExcluded(shortage: Shortage): Proposal | undefined {
  const allowed = coverBy(shortage, ({ ask }) => ask.operator);
  if (allowed === undefined) return undefined;
  const excludeOperators = shortage.requirements.excludeOperators.filter((operator) => !allowed.includes(operator));
  return {
    requirements: { ...shortage.requirements, excludeOperators },
    value: excludeOperators.join(','),
    text: `without excluding ${listText(allowed, 'and')}`,
  };
}

/** The smallest distance within which enough newcomers lie. */
function distanceToEnough(
  { requirements, fittingAgents, newcomers }: Shortage,
  distanceOf: (candidate: Candidate) => bigint,
): bigint | undefined {
  const nearest = new Map<string, bigint>();
  for (const candidate of newcomers) {
    const distance = distanceOf(candidate);
    const known = nearest.get(candidate.ask.agentKey);
    if (known === undefined || distance < known) nearest.set(candidate.ask.agentKey, distance);
  }
  const ascending = [...nearest.values()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return ascending[requirements.machines - fittingAgents - 1];
}

/** The smallest set of names (regions, operators) under which enough newcomers are found. */
function coverBy(
  { requirements, fittingAgents, newcomers }: Shortage,
  nameOf: (candidate: Candidate) => string,
): readonly string[] | undefined {
  const groups = Map.groupBy(newcomers, nameOf);
  const agents = new Map([...groups].map(([name, members]) => [name, new Set(members.map(({ ask }) => ask.agentKey))]));
  return smallestCover(agents, requirements.machines - fittingAgents);
}
