import {
  hashAsk,
  hourlyFromRateUp,
  type MatchAnswer,
  matchOrder,
  rateFromHourlyDown,
  requirementsSchema,
  resourceSchema,
  type SignedAsk,
  signAsk,
} from '@latent/protocol';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { checkAnswer } from './check-answer.ts';

const domain = { chainId: 31337, escrow: '0x00000000000000000000000000000000000000E5' } as const;
const NOW = 1_800_000_000;
const requirements = requirementsSchema.parse({ machines: 2, maxPricePerDeviceHour: 600_000n, seconds: 3_600 });

async function makeAsk(pricePerDeviceHour: bigint, validUntil = NOW + 3_600): Promise<SignedAsk> {
  const agent = privateKeyToAccount(generatePrivateKey());
  const hex = agent.address.slice(2).toLowerCase();
  const resource = {
    kind: 'cpu' as const,
    model: 'test',
    deviceMemoryMiB: 4_096,
    cpuCores: 2,
    memoryMiB: 4_096,
    region: 'eu-west',
    site: 'home',
    isolation: 'namespaces' as const,
    peerKey: `0x${hex.padEnd(64, '0')}`,
    hints: [],
  };
  const parsed = resourceSchema.parse(resource);
  const ask = {
    operator: agent.address,
    agentKey: agent.address,
    devices: 1,
    rate: rateFromHourlyDown(pricePerDeviceHour),
    maxSeconds: 86_400,
    closeWindow: 900,
    prepay: 10,
    maxFeeBps: 50,
    validUntil,
    epoch: 0,
    salt: 1n,
  };
  return signAsk(agent, domain, ask, parsed);
}

async function honestAnswer(asks: readonly SignedAsk[]): Promise<MatchAnswer> {
  const listed = asks.map((signed) => ({
    id: hashAsk(domain, signed.ask),
    signed,
    present: true,
    freeDevices: signed.ask.devices,
    pricePerDeviceHour: hourlyFromRateUp(signed.ask.rate).toString(),
  }));
  const candidates = listed.map(({ id, signed, freeDevices, present }) => ({ id, ...signed, freeDevices, present }));
  const { chosen, spares, refusals, relaxations } = matchOrder(requirements, candidates);
  return {
    asks: listed,
    chosen: chosen.map(({ id }) => id),
    spares: spares.map(({ id }) => id),
    refusals: [...refusals],
    relaxations: [...relaxations],
  };
}

const check = (answer: MatchAnswer) => checkAnswer(domain, 'http://book', requirements, answer, NOW);

async function setup() {
  const asks = await Promise.all([300_000n, 400_000n, 500_000n].map((price) => makeAsk(price)));
  return { asks, answer: await honestAnswer(asks) };
}

describe('checkAnswer', () => {
  it('finds nothing wrong with an honest book', async () => {
    const { answer } = await setup();
    const checked = await check(answer);
    expect(checked.faults).toEqual([]);
    expect(checked.asks).toHaveLength(3);
  });

  it('names a book that states another price than the agent signed', async () => {
    const { answer } = await setup();
    const asks = answer.asks.map((listed, index) => (index === 0 ? { ...listed, pricePerDeviceHour: '1' } : listed));
    const { faults } = await check({ ...answer, asks });
    expect(faults.map(({ code }) => code)).toEqual(['BOOK_LIED']);
    expect(faults[0]?.message).toContain('http://book');
  });

  it('drops an ask that a book made cheaper, and names the book for forging it', async () => {
    const { answer } = await setup();
    const asks = answer.asks.map((listed, index) =>
      index === 0
        ? { ...listed, signed: { ...listed.signed, ask: { ...listed.signed.ask, rate: 1n } }, pricePerDeviceHour: '1' }
        : listed,
    );
    const checked = await check({ ...answer, asks });
    expect(checked.faults.map(({ code }) => code)).toEqual(['BOOK_FORGED_ASK']);
    expect(checked.asks).toHaveLength(2);
  });

  it('names a book that shows another resource than the one signed for', async () => {
    const { answer } = await setup();
    const asks = answer.asks.map((listed) => ({
      ...listed,
      signed: { ...listed.signed, resource: { ...listed.signed.resource, memoryMiB: 999_999 } },
    }));
    const checked = await check({ ...answer, asks });
    expect(checked.faults.map(({ code }) => code)).toEqual(['BOOK_FORGED_ASK', 'BOOK_FORGED_ASK', 'BOOK_FORGED_ASK']);
    expect(checked.asks).toEqual([]);
  });

  it('names a book that hides the cheapest of the asks it shows behind dearer ones', async () => {
    const { answer } = await setup();
    const { faults } = await check({ ...answer, chosen: answer.asks.slice(1).map(({ id }) => id) });
    expect(faults.map(({ code }) => code)).toEqual(['BOOK_LIED']);
  });

  it('names a book that lists an ask under another id', async () => {
    const { answer } = await setup();
    const [first, second, ...rest] = answer.asks;
    if (first === undefined || second === undefined) throw new Error('the answer has three asks');
    const { faults } = await check({
      ...answer,
      asks: [{ ...first, id: second.id }, { ...second, id: first.id }, ...rest],
    });
    expect(faults.map(({ code }) => code)).toEqual(['BOOK_LIED', 'BOOK_LIED']);
  });

  it('tells an expired ask apart from a forged one', async () => {
    const stale = await makeAsk(100_000n, NOW);
    const { faults } = await check(await honestAnswer([stale]));
    expect(faults.map(({ code }) => code)).toContain('ASK_EXPIRED');
    expect(faults.map(({ code }) => code)).not.toContain('BOOK_FORGED_ASK');
  });
});
