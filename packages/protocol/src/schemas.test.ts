import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { addressSchema, hex32Schema, signatureSchema, uintSchema } from './ids.ts';
import { requirementsSchema } from './match/requirements.ts';
import { askSchema, resourceSchema } from './messages/ask.ts';
import { leaseTermsSchema, MAX_MEMBERS, memberSchema, orderSchema } from './messages/order.ts';
import { signedVoucherSchema } from './messages/voucher.ts';
import { agentMessageSchema } from './wire/book-api.ts';

const address = `0x${'a1'.repeat(20)}`;
const word = `0x${'5a'.repeat(32)}`;
const signature = `0x${'11'.repeat(64)}1b`;
const ask = {
  operator: address,
  agentKey: address,
  resource: word,
  devices: 8,
  rate: '555555555555',
  maxSeconds: 86_400,
  closeWindow: 3_600,
  prepay: 30,
  maxFeeBps: 50,
  validUntil: 1_900_000_000,
  epoch: 3,
  salt: '7',
};
const resource = {
  kind: 'gpu',
  model: 'Test 9000 µ (80 GB)',
  deviceMemoryMiB: 24_576,
  cpuCores: 16,
  memoryMiB: 65_536,
  region: 'eu-west',
  site: 'attic-1',
  isolation: 'namespaces',
  peerKey: word,
  hints: [],
};
const order = {
  renter: address,
  session: address,
  meterKey: address,
  deposit: '1000000',
  maxSeconds: 3_600,
  closeWindow: 7_200,
  prepay: 60,
  maxFeeBps: 25,
  openBy: 1_900_000_000,
  workload: word,
  salt: '42',
};
const member = { ask: word, operator: address, agentKey: address, devices: 1, rate: '5' };
const requirements = { machines: 4, maxPricePerDeviceHour: '600000', seconds: 3_600 };
const voucher = { leaseId: word, units: ['1'], accrueFrom: [0], signature };

const absurd = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1e300, '8', null, [], {}];
const absurdUints = ['-1', '1.5', '0x10', '1e9', '', ' 1', '9'.repeat(79), -1n, 2n ** 256n, 5, null, {}];
const absurdTexts = [5, null, [], `0x${'zz'.repeat(32)}`, '0x', '', '\u001b[2J', 'x'.repeat(5_000)];

interface Case {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly good: Readonly<Record<string, unknown>>;
  readonly bad: Readonly<Record<string, readonly unknown[]>>;
}

const cases: readonly Case[] = [
  {
    name: 'ask',
    schema: askSchema,
    good: ask,
    bad: {
      operator: absurdTexts,
      agentKey: absurdTexts,
      resource: [...absurdTexts, word.toUpperCase()],
      devices: [...absurd, 0, 1_025],
      rate: [...absurdUints, 2n ** 64n],
      maxSeconds: [...absurd, 0, 366 * 86_400 + 1],
      closeWindow: [...absurd, 899, 7 * 86_400 + 1],
      prepay: [...absurd, 61],
      maxFeeBps: [...absurd, 10_001],
      validUntil: [...absurd, 2 ** 40],
      epoch: [...absurd, 2 ** 32],
      salt: absurdUints,
    },
  },
  {
    name: 'resource',
    schema: resourceSchema,
    good: resource,
    bad: {
      kind: ['tpu', ...absurdTexts],
      model: [5, null, 'x'.repeat(65), '\u001b[2J', 'a\nb', 'a\u202eb', 'a\u200bb', '\ud800'],
      deviceMemoryMiB: [...absurd, 2 ** 32],
      cpuCores: [...absurd, 0, 65_536],
      memoryMiB: [...absurd, 0, 2 ** 32],
      region: ['EU', 'eu,us', '', 'x'.repeat(33), 5, '\u001b[2J'],
      site: ['a b', '', 'x'.repeat(33), 5, '\u001b[2J'],
      isolation: ['strong', ...absurdTexts],
      peerKey: absurdTexts,
      hints: [Array(9).fill('a'), ['x'.repeat(129)], [5], 'a', null],
    },
  },
  {
    name: 'order',
    schema: orderSchema,
    good: order,
    bad: {
      renter: absurdTexts,
      session: absurdTexts,
      meterKey: absurdTexts,
      deposit: [...absurdUints, 2n ** 96n],
      maxSeconds: [...absurd, 0, 2 ** 40],
      closeWindow: [...absurd, 2 ** 32],
      prepay: [...absurd, 65_536],
      maxFeeBps: [...absurd, 65_536],
      openBy: [...absurd, 2 ** 40],
      workload: absurdTexts,
      salt: absurdUints,
    },
  },
  {
    name: 'member',
    schema: memberSchema,
    good: member,
    bad: {
      ask: absurdTexts,
      operator: absurdTexts,
      agentKey: absurdTexts,
      devices: [...absurd, 0, 2 ** 32],
      rate: [...absurdUints, 2n ** 64n],
    },
  },
  {
    name: 'voucher',
    schema: signedVoucherSchema,
    good: voucher,
    bad: {
      leaseId: absurdTexts,
      units: [[], ['-1'], [2n ** 96n], Array(MAX_MEMBERS + 1).fill('1'), '1', null],
      accrueFrom: [[], [-1], [2 ** 40], [0.5], Array(MAX_MEMBERS + 1).fill(0), 0, null],
      signature: [...absurdTexts, signature.slice(0, -2), `${signature}00`],
    },
  },
  {
    name: 'requirements',
    schema: requirementsSchema,
    good: requirements,
    bad: {
      machines: [...absurd, 0, MAX_MEMBERS + 1],
      spares: [...absurd, MAX_MEMBERS + 1],
      kind: ['tpu', 5],
      model: ['x'.repeat(65), '\u001b[2J', 5],
      devicesPerMachine: [...absurd, 0, 1_025],
      minDeviceMemoryMiB: [...absurd, 2 ** 32],
      minCpuCores: [...absurd, 65_536],
      minMemoryMiB: [...absurd, 2 ** 32],
      regions: [Array(65).fill('a'), ['A'], ['a,b'], ['x'.repeat(33)], 'eu-west'],
      maxPricePerDeviceHour: [...absurdUints, 2n ** 64n],
      seconds: [...absurd, 0, 366 * 86_400 + 1],
      isolation: ['strong', 5],
      excludeOperators: [Array(65).fill(address), ['0x1'], address],
    },
  },
];

describe.each(cases)('schema of $name', ({ schema, good, bad }) => {
  it('takes a good one, and knows each of its fields below', () => {
    expect(schema.safeParse(good).success).toBe(true);
    expect(Object.keys(bad)).toEqual(expect.arrayContaining(Object.keys(good)));
  });

  it.each(Object.keys(bad))('refuses absurd values of %s', (field) => {
    const taken = bad[field]?.filter((value) => schema.safeParse({ ...good, [field]: value }).success);
    expect(taken).toEqual([]);
  });

  it('refuses anything that is no object', () => {
    for (const value of [null, undefined, 5, 'text', [], true]) expect(schema.safeParse(value).success).toBe(false);
  });
});

describe('schemas', () => {
  it('of lease terms bound the number of members', () => {
    const terms = (count: number) => leaseTermsSchema.safeParse({ order, members: Array(count).fill(member) }).success;
    expect([0, 1, MAX_MEMBERS, MAX_MEMBERS + 1].map(terms)).toEqual([false, true, true, false]);
  });

  it('give addresses their checksum and refuse what only looks like one', () => {
    expect(addressSchema.parse(`0x${'AB'.repeat(20)}`)).toBe(addressSchema.parse(`0x${'ab'.repeat(20)}`));
    for (const text of ['0x', `0x${'g'.repeat(40)}`, `0x${'1'.repeat(41)}`, '1'.repeat(40), `0X${'1'.repeat(40)}`]) {
      expect(addressSchema.safeParse(text).success).toBe(false);
    }
  });

  it('take words in lower case only, so that one id has one spelling', () => {
    expect(hex32Schema.safeParse(`0x${'ab'.repeat(32)}`).success).toBe(true);
    expect(hex32Schema.safeParse(`0x${'AB'.repeat(32)}`).success).toBe(false);
    expect(hex32Schema.safeParse(`0x${'ab'.repeat(32)}\n`).success).toBe(false);
  });

  it('take a signature of 65 bytes in either case', () => {
    expect(signatureSchema.safeParse(signature).success).toBe(true);
    expect(signatureSchema.safeParse(`0x${'AB'.repeat(65)}`).success).toBe(true);
  });

  it.each([8, 64, 96, 256])('bound an unsigned integer of %d bits', (bits) => {
    const schema = uintSchema(bits);
    const most = 2n ** BigInt(bits) - 1n;
    expect([schema.parse('0'), schema.parse(most.toString())]).toEqual([0n, most]);
    expect(schema.safeParse((most + 1n).toString()).success).toBe(false);
  });

  it('of presence messages refuse unknown kinds and boasts', () => {
    for (const message of [
      { kind: 'bye' },
      { kind: 'free', freeDevices: 1_025 },
      { kind: 'free', freeDevices: -1 },
      { kind: 'hello', agentKey: address },
      { kind: 'withdraw', ask: '0x1' },
      {},
    ]) {
      expect(agentMessageSchema.safeParse(message).success).toBe(false);
    }
  });
});
