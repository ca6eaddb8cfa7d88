import fc from 'fast-check';
import { concat, type Hex, keccak256, numberToHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { addressSchema, askIdSchema } from '../ids.ts';
import { hashMembers, type Member } from './order.ts';
import { type ChangedLease, changedLeaseSchema, hashRoster, LEFT, openingRoster, type Roster } from './roster.ts';

const address = (byte: string) => addressSchema.parse(`0x${byte.repeat(20)}`);
const word = (value: number | bigint): Hex => numberToHex(value, { size: 32 });
const time = fc.integer({ min: 0, max: 2 ** 40 - 1 });

const member: fc.Arbitrary<Member> = fc.record({
  ask: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((value) => askIdSchema.parse(word(value))),
  operator: fc.constantFrom(address('a1'), address('c3')),
  agentKey: fc.constantFrom(address('b2'), address('d4')),
  devices: fc.integer({ min: 1, max: 0xffffffff }),
  rate: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});

const lease: fc.Arbitrary<ChangedLease> = fc.array(member, { minLength: 1, maxLength: 6 }).chain((members) => {
  const times = fc.array(time, { minLength: members.length, maxLength: members.length });
  return fc.record({
    members: fc.constant(members),
    roster: fc.record({
      opened: fc.integer({ min: 1, max: members.length }),
      maxSeconds: time,
      deposit: fc.bigInt({ min: 0n, max: 2n ** 96n - 1n }),
      from: times,
      until: times,
    }),
  });
});

describe('hashRoster', () => {
  it('is the hash of six words: three numbers, two lists and the members', () => {
    fc.assert(
      fc.property(lease, ({ members, roster }) => {
        const listHash = (values: readonly number[]) => keccak256(concat(values.map(word)));
        const numbers = [word(roster.opened), word(roster.maxSeconds), word(roster.deposit)];
        const hashes = [listHash(roster.from), listHash(roster.until), hashMembers(members)];
        expect(hashRoster({ members, roster })).toBe(keccak256(concat([...numbers, ...hashes])));
      }),
    );
  });

  it('changes with every field', () => {
    fc.assert(
      fc.property(lease, fc.nat(), ({ members, roster }, pick) => {
        const at = pick % members.length;
        const bump = (list: readonly number[]) =>
          list.map((value, index) => (index === at ? Math.abs(value - 1) : value));
        const others: Roster[] = [
          { ...roster, opened: roster.opened + 1 },
          { ...roster, maxSeconds: roster.maxSeconds + 1 },
          { ...roster, deposit: roster.deposit + 1n },
          { ...roster, from: bump(roster.from) },
          { ...roster, until: bump(roster.until) },
        ];
        const hash = hashRoster({ members, roster });
        for (const other of others) expect(hashRoster({ members, roster: other })).not.toBe(hash);
        const fewer = members.map((one, index) => (index === at ? { ...one, devices: one.devices - 1 } : one));
        expect(hashRoster({ members: fewer, roster })).not.toBe(hash);
      }),
    );
  });
});

describe('changedLeaseSchema', () => {
  it('refuses a roster with more or fewer entries than members', () => {
    fc.assert(
      fc.property(lease, ({ members, roster }) => {
        const isOne = (one: Roster) => changedLeaseSchema.safeParse({ members, roster: one }).success;
        expect(isOne(roster)).toBe(true);
        expect(isOne({ ...roster, from: [...roster.from, 0] })).toBe(false);
        expect(isOne({ ...roster, until: [...roster.until, LEFT] })).toBe(false);
      }),
    );
  });
});

describe('openingRoster', () => {
  it('is the lease as it was opened: its length, its deposit, every clock with the lease', () => {
    const order = {
      ...{ renter: address('77'), session: address('79'), meterKey: address('88'), deposit: 7n, maxSeconds: 3_600 },
      ...{ closeWindow: 900, prepay: 30, maxFeeBps: 50, openBy: 1, workload: word(0), salt: 0n },
    };
    const members = [address('a1'), address('c3')].map((operator) => {
      return { ask: askIdSchema.parse(word(1)), operator, agentKey: operator, devices: 1, rate: 1n };
    });
    const roster = { opened: 2, maxSeconds: 3_600, deposit: 7n, from: [0, 0], until: [0, 0] };
    expect(openingRoster({ order, members })).toEqual(roster);
  });
});
