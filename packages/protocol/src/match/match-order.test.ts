import fc from 'fast-check';
import { getAddress, pad, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { askIdSchema, peerKeySchema } from '../ids.ts';
import { hourlyFromRateUp, rateFromHourlyDown } from '../money/rate.ts';
import type { Candidate } from './candidate.ts';
import { type MatchResult, matchOrder } from './match-order.ts';
import { type Relaxation, refusalSchema, relaxationSchema } from './refusal.ts';
import { type Requirements, type RequirementsInput, requirementsSchema } from './requirements.ts';

const address = (value: number) => getAddress(pad(toHex(value), { size: 20 }));
const word = (value: number) => pad(toHex(value), { size: 32 });

interface CandidateInput {
  readonly id: number;
  readonly agent: number;
  readonly operator?: number;
  readonly dollars?: number;
  readonly devices?: number;
  readonly freeDevices?: number;
  readonly maxSeconds?: number;
  readonly present?: boolean;
  readonly resource?: Partial<Candidate['resource']>;
}

function candidate(input: CandidateInput): Candidate {
  const devices = input.devices ?? 1;
  return {
    id: askIdSchema.parse(word(input.id)),
    ask: {
      operator: address(1_000 + (input.operator ?? input.agent)),
      agentKey: address(input.agent),
      resource: word(0),
      devices,
      rate: rateFromHourlyDown(BigInt(Math.round((input.dollars ?? 0.5) * 1_000_000))),
      maxSeconds: input.maxSeconds ?? 86_400,
      closeWindow: 900,
      prepay: 0,
      maxFeeBps: 100,
      validUntil: 2_000_000_000,
      epoch: 0,
      salt: 0n,
    },
    resource: {
      kind: 'cpu',
      model: 'Test CPU',
      deviceMemoryMiB: 4_096,
      cpuCores: 4,
      memoryMiB: 4_096,
      region: 'eu-west',
      site: 'home',
      isolation: 'namespaces',
      peerKey: peerKeySchema.parse(word(1)),
      hints: [],
      ...input.resource,
    },
    freeDevices: input.freeDevices ?? devices,
    present: input.present ?? true,
  };
}

const requirements = (input: Partial<RequirementsInput>): Requirements =>
  requirementsSchema.parse({ machines: 1, maxPricePerDeviceHour: 600_000n, seconds: 3_600, ...input });

const texts = (result: MatchResult) => result.relaxations.map(({ text }) => text);
const ids = (candidates: readonly Candidate[]) => candidates.map(({ id }) => id);

/** Fits, said again and differently, as the reference for the properties. */
function fits(wanted: Requirements, { ask, resource, freeDevices, present }: Candidate): boolean {
  const enough =
    Math.min(freeDevices, ask.devices) >= wanted.devicesPerMachine &&
    resource.deviceMemoryMiB >= wanted.minDeviceMemoryMiB &&
    resource.cpuCores >= wanted.minCpuCores &&
    resource.memoryMiB >= wanted.minMemoryMiB &&
    ask.maxSeconds >= wanted.seconds;
  const allowed =
    (wanted.regions.length === 0 || wanted.regions.includes(resource.region)) &&
    !wanted.excludeOperators.includes(ask.operator) &&
    (wanted.isolation === 'none' || resource.isolation === 'namespaces');
  const right = resource.kind === wanted.kind && resource.model.toLowerCase().includes(wanted.model.toLowerCase());
  return present && right && enough && allowed && hourlyFromRateUp(ask.rate) <= wanted.maxPricePerDeviceHour;
}

function subsets<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length }, (_, set) => items.filter((_, at) => ((set >> at) & 1) === 1));
}

/** Every set of the right size, the cheapest, then the one whose ids come first. */
function bruteForce(wanted: Requirements, candidates: readonly Candidate[]): readonly string[] {
  const key = (set: readonly Candidate[]) => {
    const rates = set.map(({ ask, id }) => `${ask.rate.toString().padStart(20, '0')}${id}`).sort();
    const total = set.reduce((sum, { ask }) => sum + ask.rate, 0n);
    return `${total.toString().padStart(30, '0')}${rates.join()}`;
  };
  const sets = subsets(candidates.filter((one) => fits(wanted, one)))
    .filter((set) => set.length === wanted.machines)
    .filter((set) => new Set(set.map(({ ask }) => ask.agentKey)).size === set.length)
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return ids(sets[0] ?? []).toSorted();
}

const agentsThatFit = (wanted: Requirements, candidates: readonly Candidate[]) =>
  new Set(candidates.filter((one) => fits(wanted, one)).map(({ ask }) => ask.agentKey)).size;

function applied(wanted: Requirements, { field, value }: Pick<Relaxation, 'field' | 'value'>): Requirements {
  const isList = field === 'regions' || field === 'excludeOperators';
  const isText = field === 'isolation' || field === 'model' || field === 'kind' || field === 'maxPricePerDeviceHour';
  const list = value === '' ? [] : value.split(',');
  return requirementsSchema.parse({ ...wanted, [field]: isList ? list : isText ? value : Number(value) });
}

/** Every change of the field that is smaller than the one proposed, or the largest ones if none is. */
function smallerChanges(wanted: Requirements, proposed: Relaxation, candidates: readonly Candidate[]): Requirements[] {
  const one = (value: number | bigint) => [applied(wanted, { field: proposed.field, value: value.toString() })];
  switch (proposed.field) {
    case 'maxPricePerDeviceHour':
      return one(BigInt(proposed.value) - 1n);
    case 'machines':
    case 'minMemoryMiB':
    case 'minCpuCores':
    case 'minDeviceMemoryMiB':
    case 'devicesPerMachine':
    case 'seconds':
      return one(Number(proposed.value) + 1);
    case 'regions': {
      const added = applied(wanted, proposed).regions.length - wanted.regions.length;
      return subsets([...new Set(candidates.map(({ resource }) => resource.region))])
        .filter((regions) => regions.length < added)
        .map((regions) => ({ ...wanted, regions: [...wanted.regions, ...regions] }));
    }
    case 'excludeOperators': {
      const removed = wanted.excludeOperators.length - applied(wanted, proposed).excludeOperators.length;
      return subsets(wanted.excludeOperators)
        .filter((kept) => wanted.excludeOperators.length - kept.length < removed)
        .map((excludeOperators) => ({ ...wanted, excludeOperators }));
    }
    case 'isolation':
    case 'model':
    case 'kind':
      return [wanted];
  }
}

/** Each field let go as far as it can be. */
const largestChanges = (
  wanted: Requirements,
  candidates: readonly Candidate[],
): [Relaxation['field'], Requirements][] => [
  ['maxPricePerDeviceHour', { ...wanted, maxPricePerDeviceHour: 2n ** 64n - 1n }],
  ['minMemoryMiB', { ...wanted, minMemoryMiB: 0 }],
  ['minCpuCores', { ...wanted, minCpuCores: 0 }],
  ['minDeviceMemoryMiB', { ...wanted, minDeviceMemoryMiB: 0 }],
  ['devicesPerMachine', { ...wanted, devicesPerMachine: 1 }],
  ['seconds', { ...wanted, seconds: 1 }],
  ['regions', { ...wanted, regions: [] }],
  ['isolation', { ...wanted, isolation: 'none' }],
  ['model', { ...wanted, model: '' }],
  ['kind', { ...wanted, kind: wanted.kind === 'cpu' ? 'gpu' : 'cpu' }],
  ['excludeOperators', { ...wanted, excludeOperators: [] }],
  ['machines', { ...wanted, machines: Math.min(1, candidates.length) }],
];

const often = <T>(value: T, ...others: T[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, { weight: 2, arbitrary: fc.constantFrom(...others) });

const bookArbitrary = fc
  .array(
    fc.record({
      agent: fc.integer({ min: 1, max: 6 }),
      operator: fc.integer({ min: 1, max: 4 }),
      dollars: often(0.5, 0.000001, 0.4, 0.6, 0.95),
      devices: fc.integer({ min: 1, max: 4 }),
      freeDevices: fc.integer({ min: 0, max: 5 }),
      maxSeconds: often(86_400, 1, 1_800, 3_599, 3_600),
      present: often(true, false),
      resource: fc.record({
        kind: often<'cpu' | 'gpu'>('cpu', 'gpu'),
        model: often('Test CPU', 'Other'),
        memoryMiB: often(4_096, 1_024, 2_048),
        cpuCores: often(4, 1, 2),
        deviceMemoryMiB: often(4_096, 512),
        region: often('eu-west', 'us-east', 'eu-north', 'ap-south'),
        isolation: often<'namespaces' | 'none'>('namespaces', 'none'),
      }),
    }),
    { maxLength: 9 },
  )
  .map((inputs) => inputs.map((input, index) => candidate({ ...input, id: index + 1 })));

const requirementsArbitrary = fc
  .record({
    machines: fc.integer({ min: 1, max: 5 }),
    spares: fc.integer({ min: 0, max: 3 }),
    model: often('', 'test'),
    devicesPerMachine: often(1, 2, 3),
    minMemoryMiB: often(0, 2_048),
    minCpuCores: often(0, 3),
    minDeviceMemoryMiB: often(0, 1_000),
    regions: often<string[]>([], ['eu-west'], ['us-east', 'eu-west']),
    maxPricePerDeviceHour: often(600_000n, 400_000n, 500_000n),
    seconds: often(3_600, 1_800),
    isolation: often<'namespaces' | 'none'>('namespaces', 'none'),
    excludeOperators: often<string[]>([], [address(1_001)], [address(1_001), address(1_002)]),
  })
  .map((input) => requirementsSchema.parse(input));

describe('matchOrder', () => {
  it('takes the cheapest set there is, as trying every set does', () => {
    fc.assert(
      fc.property(requirementsArbitrary, bookArbitrary, (wanted, book) => {
        expect(ids(matchOrder(wanted, book).chosen).toSorted()).toEqual(bruteForce(wanted, book));
      }),
      { numRuns: 600 },
    );
  });

  it('gives a refusal for exactly the asks it did not take, none of which says that a fitting ask does not fit', () => {
    fc.assert(
      fc.property(requirementsArbitrary, bookArbitrary, (wanted, book) => {
        const { chosen, refusals } = matchOrder(wanted, book);
        expect([...ids(chosen), ...refusals.map(({ ask }) => ask)].toSorted()).toEqual(ids(book).toSorted());
        const fitting = new Set(ids(book.filter((one) => fits(wanted, one))));
        for (const refusal of refusals) {
          refusalSchema.parse(refusal);
          expect(['not-needed', 'too-few', 'same-machine'].includes(refusal.reason)).toBe(fitting.has(refusal.ask));
        }
      }),
    );
  });

  it('keeps spares of further agents only, none cheaper than what it took', () => {
    fc.assert(
      fc.property(requirementsArbitrary, bookArbitrary, (wanted, book) => {
        const { chosen, spares } = matchOrder(wanted, book);
        const agents = [...chosen, ...spares].map(({ ask }) => ask.agentKey);
        expect(new Set(agents).size).toBe(agents.length);
        const left = agentsThatFit(wanted, book) - wanted.machines;
        expect(spares).toHaveLength(chosen.length === 0 ? 0 : Math.min(wanted.spares, left));
        const rates = [...chosen, ...spares].map(({ ask }) => ask.rate);
        expect(rates).toEqual(rates.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      }),
    );
  });

  it('proposes only changes that make the order match at the price told, and no smaller change of the field does', () => {
    fc.assert(
      fc.property(requirementsArbitrary, bookArbitrary, (wanted, book) => {
        for (const relaxation of matchOrder(wanted, book).relaxations) {
          relaxationSchema.parse(relaxation);
          const rematched = matchOrder(applied(wanted, relaxation), book);
          const dearest = rematched.chosen.at(-1);
          expect(dearest && hourlyFromRateUp(dearest.ask.rate).toString()).toBe(relaxation.pricePerDeviceHour);
          expect(rematched.relaxations).toEqual([]);
          for (const smaller of smallerChanges(wanted, relaxation, book)) {
            expect(agentsThatFit(smaller, book)).toBeLessThan(smaller.machines);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('proposes a change of every field that one could help by, and of no other', () => {
    fc.assert(
      fc.property(requirementsArbitrary, bookArbitrary, (wanted, book) => {
        const { chosen, relaxations } = matchOrder(wanted, book);
        const helpful = largestChanges(wanted, book)
          .filter(([, widened]) => widened.machines > 0 && agentsThatFit(widened, book) >= widened.machines)
          .map(([field]) => field);
        const proposed = relaxations.map(({ field }) => field).toSorted();
        expect(proposed).toEqual(chosen.length > 0 ? [] : helpful.toSorted());
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives the same answer for any order of the asks', () => {
    fc.assert(
      fc.property(
        requirementsArbitrary,
        bookArbitrary.chain((book) =>
          fc.tuple(fc.constant(book), fc.shuffledSubarray(book, { minLength: book.length })),
        ),
        (wanted, [book, shuffled]) => {
          expect(matchOrder(wanted, shuffled)).toEqual(matchOrder(wanted, book));
        },
      ),
    );
  });

  it('says what smallest changes would match, in words', () => {
    const book = [
      candidate({ id: 1, agent: 1, dollars: 0.4 }),
      candidate({ id: 2, agent: 2, dollars: 0.5 }),
      candidate({ id: 3, agent: 3, dollars: 0.5 }),
      candidate({ id: 4, agent: 4, dollars: 0.95 }),
      candidate({ id: 5, agent: 5, resource: { memoryMiB: 256 } }),
      candidate({ id: 6, agent: 6, maxSeconds: 600 }),
      candidate({ id: 7, agent: 7, resource: { region: 'us-east' } }),
      candidate({ id: 8, agent: 8, resource: { isolation: 'none' } }),
    ];
    const result = matchOrder(requirements({ machines: 4, minMemoryMiB: 1_024, regions: ['eu-west'] }), book);
    expect(result.chosen).toEqual([]);
    expect(texts(result)).toEqual([
      '3 machines instead of 4: $0.40/h to $0.50/h',
      'at most $0.95/h instead of $0.60/h',
      '256 MiB of memory instead of 1024: $0.40/h to $0.50/h',
      '600 seconds instead of 3600: $0.40/h to $0.50/h',
      'also in us-east: $0.40/h to $0.50/h',
      'also machines that run jobs without isolation: $0.40/h to $0.50/h',
    ]);
  });

  it('tells for each ask what was wanted and what it has, nearest first', () => {
    const book = [
      candidate({ id: 1, agent: 1, dollars: 0.4 }),
      candidate({ id: 2, agent: 2, dollars: 0.95 }),
      candidate({ id: 3, agent: 1, dollars: 0.45 }),
      candidate({ id: 4, agent: 4, dollars: 0.95, present: false, resource: { memoryMiB: 256 } }),
      candidate({ id: 5, agent: 5, dollars: 0.5, devices: 4, freeDevices: 0 }),
      candidate({ id: 6, agent: 6, dollars: 0.41 }),
    ];
    const { chosen, refusals } = matchOrder(requirements({ machines: 1, minMemoryMiB: 1_024 }), book);
    expect(ids(chosen)).toEqual([word(1)]);
    expect(refusals).toEqual([
      { ask: word(6), reason: 'not-needed', text: 'fits at $0.41/h, but cheaper ones were enough' },
      { ask: word(3), reason: 'same-machine', text: 'fits, but another ask of the same machine is cheaper' },
      { ask: word(5), reason: 'devices', text: 'wants 1 free devices, has 0 of 4' },
      { ask: word(2), reason: 'price', text: 'wants ≤ $0.60/h, asks $0.95/h' },
      { ask: word(4), reason: 'absent', text: 'its agent is not connected' },
    ]);
  });

  it('rounds a price up before it holds it against the limit', () => {
    const dear = candidate({ id: 1, agent: 1 });
    const justOver = { ...dear, ask: { ...dear.ask, rate: rateFromHourlyDown(600_000n) + 1n } };
    expect(hourlyFromRateUp(justOver.ask.rate)).toBe(600_001n);
    expect(matchOrder(requirements({}), [justOver]).chosen).toEqual([]);
    expect(matchOrder(requirements({ maxPricePerDeviceHour: 600_001n }), [justOver]).chosen).toEqual([justOver]);
  });

  it('counts no more devices than the ask offers, whatever a book states', () => {
    const boasting = candidate({ id: 1, agent: 1, devices: 2, freeDevices: 1_000 });
    expect(matchOrder(requirements({ devicesPerMachine: 3 }), [boasting]).chosen).toEqual([]);
    expect(matchOrder(requirements({ devicesPerMachine: 2 }), [boasting]).chosen).toEqual([boasting]);
  });

  it('keeps every text within the bounds of the wire, for the longest values there are', () => {
    const wide = { model: 'm'.repeat(64), region: 'r'.repeat(32) };
    const book = [
      candidate({ id: 1, agent: 1, resource: wide }),
      ...Array.from({ length: 60 }, (_, index) =>
        candidate({
          id: 10 + index,
          agent: 10 + index,
          operator: 500,
          resource: { region: `${'x'.repeat(28)}-${index}` },
        }),
      ),
      ...Array.from({ length: 60 }, (_, index) => candidate({ id: 100 + index, agent: 100 + index, operator: index })),
    ];
    const wanted = requirements({
      machines: 60,
      model: 't',
      regions: ['eu-west', 'a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)],
      excludeOperators: Array.from({ length: 60 }, (_, index) => address(1_000 + index)),
    });
    const result = matchOrder(wanted, book);
    for (const refusal of result.refusals) refusalSchema.parse(refusal);
    for (const relaxation of result.relaxations) relaxationSchema.parse(relaxation);
    expect(result.relaxations.map(({ field }) => field)).toEqual(['regions', 'excludeOperators']);
  });
});
