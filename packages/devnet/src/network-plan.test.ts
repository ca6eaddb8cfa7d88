import {
  askIdSchema,
  askSchema,
  type Candidate,
  matchOrder,
  rateFromHourlyDown,
  requirementsSchema,
  resourceSchema,
} from '@latent/protocol';
import fc from 'fast-check';
import { keccak256, pad, stringToBytes, toHex } from 'viem';
import { describe, expect, test } from 'vitest';
import { type Fit, MAIN_JOB, MAX_OPERATORS, type NetworkPlan, type OperatorPlan, planNetwork } from './network-plan.ts';

const seeds = fc.string({ maxLength: 40 });
const counts = fc.integer({ min: 1, max: MAX_OPERATORS });
const mainJob = requirementsSchema.parse({ ...MAIN_JOB, seconds: 600 });

/** The operator as a checked ask, so that the real matcher judges the plan. */
function candidateOf(operator: OperatorPlan, index: number): Candidate {
  const address = pad(toHex(index + 1), { size: 20 });
  const hex32 = keccak256(stringToBytes(operator.name));
  return {
    id: askIdSchema.parse(hex32),
    ask: askSchema.parse({
      operator: address,
      agentKey: address,
      resource: hex32,
      devices: 1,
      rate: rateFromHourlyDown(operator.pricePerDeviceHour),
      maxSeconds: 86_400,
      closeWindow: 3_600,
      prepay: 10,
      maxFeeBps: 50,
      validUntil: 2 ** 33,
      epoch: 0,
      salt: 0n,
    }),
    resource: resourceSchema.parse({
      kind: 'cpu',
      model: 'CPU',
      deviceMemoryMiB: operator.memoryMiB,
      cpuCores: operator.cpuCores,
      memoryMiB: operator.memoryMiB,
      region: operator.region,
      site: operator.site,
      isolation: 'namespaces',
      peerKey: hex32,
      hints: [],
    }),
    freeDevices: 1,
    present: true,
  };
}

function namesWith(plan: NetworkPlan, fit: Fit): readonly string[] {
  return plan.operators.filter((operator) => operator.fit === fit).map(({ name }) => name);
}

describe('planNetwork', () => {
  test('gives the main job exactly the four machines that fit, and tells price and memory as the reasons for the others', () => {
    const plan = planNetwork();
    const candidates = plan.operators.map(candidateOf);
    const nameOf = (id: string) => plan.operators[candidates.findIndex((candidate) => candidate.id === id)]?.name;
    const { chosen, refusals } = matchOrder(mainJob, candidates);
    expect(plan.operators).toHaveLength(6);
    expect(plan.books).toEqual(['book-1', 'book-2']);
    expect(chosen.map(({ id }) => nameOf(id)).toSorted()).toEqual(namesWith(plan, 'fits').toSorted());
    expect(chosen).toHaveLength(MAIN_JOB.machines);
    expect(new Map(refusals.map(({ ask, reason }) => [reason, nameOf(ask)]))).toEqual(
      new Map([
        ['price', namesWith(plan, 'too dear')[0]],
        ['memory', namesWith(plan, 'too little memory')[0]],
      ]),
    );
  });

  test('marks as fitting what the matcher takes, with one misfit of each kind from six operators on, for every seed', () => {
    fc.assert(
      fc.property(seeds, counts, (seed, count) => {
        const plan = planNetwork(seed, count);
        const fitting = plan.operators.filter((operator, index) => {
          const { chosen } = matchOrder({ ...mainJob, machines: 1 }, [candidateOf(operator, index)]);
          return chosen.length === 1;
        });
        expect(fitting.map(({ name }) => name)).toEqual(namesWith(plan, 'fits'));
        expect(namesWith(plan, 'too dear')).toHaveLength(count > 4 ? 1 : 0);
        expect(namesWith(plan, 'too little memory')).toHaveLength(count > 5 ? 1 : 0);
      }),
      { numRuns: 40 },
    );
  });

  test('is the same for the same seed, and gives no two machines the same price, name or address', () => {
    fc.assert(
      fc.property(seeds, counts, (seed, count) => {
        const plan = planNetwork(seed, count);
        expect(planNetwork(seed, count)).toEqual(plan);
        for (const field of ['pricePerDeviceHour', 'name', 'address'] as const) {
          expect(new Set(plan.operators.map((operator) => operator[field])).size).toBe(count);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('is another network for another seed', () => {
    const prices = (seed: string) => planNetwork(seed).operators.map(({ pricePerDeviceHour }) => pricePerDeviceHour);
    expect(prices('a')).not.toEqual(prices('b'));
  });

  test.each([0, -1, 1.5, MAX_OPERATORS + 1, Number.NaN])('refuses %s operators', (count) => {
    expect(() => planNetwork('a', count)).toThrow(`1 to ${MAX_OPERATORS} operators`);
  });
});
