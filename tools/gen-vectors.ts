import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  addressSchema,
  askSchema,
  changeSchema,
  chargeDown,
  type EscrowDomain,
  hashAsk,
  hashChange,
  hashClose,
  hashJoin,
  hashMembers,
  hashOrder,
  hashOrderSet,
  hashResource,
  hashRoster,
  hashSessionGrant,
  hashStop,
  hashVoucher,
  hashWithdraw,
  type LeaseId,
  leaseIdSchema,
  type Member,
  type MemberClock,
  orderSchema,
  orderSetSchema,
  orderTree,
  payableUnits,
  resourceSchema,
  rosterSchema,
  sessionGrantSchema,
} from '@latent/protocol';
import { type Draw, drawer, maxUint, toJson } from './vectors/draw.ts';
import { rosterCases } from './vectors/roster-cases.ts';

const MESSAGES_PATH = 'packages/protocol/vectors/messages.json';
const CHARGES_PATH = 'packages/protocol/vectors/charges.json';
const ROSTERS_PATH = 'packages/protocol/vectors/rosters.json';
const CASES = 400;

const address = (byte: string) => addressSchema.parse(`0x${byte.repeat(20)}`);

/**
 * Test vectors that hold Solidity and TypeScript to each other.
 * @returns content by path relative to the repository's root; the same at every call
 */
export async function generateVectors(): Promise<Map<string, string>> {
  const cases = [...cornerCases(), ...Array.from({ length: CASES }, (_, index) => chargeCase(index))];
  return new Map([
    [MESSAGES_PATH, `${toJson(messageVectors(), 2)}\n`],
    [CHARGES_PATH, listOf(cases)],
    [ROSTERS_PATH, listOf(rosterCases())],
  ]);
}

const listOf = (cases: readonly unknown[]) => `{\n"cases": [\n${cases.map((one) => toJson(one)).join(',\n')}\n]\n}\n`;

function messageVectors() {
  const domain = { chainId: 31337, escrow: address('e5') };
  const operators = address('0f');
  const resource = resourceSchema.parse({
    kind: 'gpu',
    model: 'Test 9000 µ',
    deviceMemoryMiB: 24_576,
    cpuCores: 16,
    memoryMiB: 65_536,
    region: 'eu-west',
    site: 'attic-1',
    isolation: 'namespaces',
    peerKey: `0x${'9b'.repeat(32)}`,
    hints: ['udp://192.0.2.1:4500', ''],
  });
  const ask = askSchema.parse({
    operator: address('a1'),
    agentKey: address('b2'),
    resource: hashResource(resource),
    devices: 8,
    rate: 555_555_555_555n,
    maxSeconds: 86_400,
    closeWindow: 3_600,
    prepay: 30,
    maxFeeBps: 50,
    validUntil: 1_900_000_000,
    epoch: 3,
    salt: maxUint(256),
  });
  const askDigest = hashAsk(domain, ask);
  const members: Member[] = [
    { ask: askDigest, operator: ask.operator, agentKey: ask.agentKey, devices: 4, rate: ask.rate },
    {
      ask: hashAsk(domain, { ...ask, salt: 0n }),
      operator: address('c3'),
      agentKey: address('d4'),
      devices: 0xffffffff,
      rate: maxUint(64),
    },
    {
      ask: hashAsk(domain, { ...ask, salt: 1n }),
      operator: address('01'),
      agentKey: address('02'),
      devices: 1,
      rate: 0n,
    },
  ];
  const order = orderSchema.parse({
    renter: address('77'),
    session: address('79'),
    meterKey: address('88'),
    deposit: maxUint(96),
    maxSeconds: 3_600,
    closeWindow: 7_200,
    prepay: 60,
    maxFeeBps: 25,
    openBy: Number(maxUint(40)),
    workload: `0x${'5a'.repeat(32)}`,
    salt: 42n,
  });
  const leaseId = hashOrder(domain, { order, members });
  const voucher = { units: [14_400n, maxUint(96), 0n], accrueFrom: [0, 1_800_000_000, Number(maxUint(40))] };
  const close = { member: 2, units: maxUint(96) };
  return {
    chainId: domain.chainId,
    escrow: domain.escrow,
    operators,
    ask,
    askDigest,
    members,
    order,
    leaseId,
    voucher,
    voucherDigest: hashVoucher(domain, { leaseId, ...voucher }),
    close,
    closeDigest: hashClose(domain, { leaseId, ...close }),
    join: { operator: ask.operator, agentKey: ask.agentKey },
    joinDigest: hashJoin(domain.chainId, operators, ask.operator, ask.agentKey),
    ...changeVectors(domain, leaseId, members),
    ...consentVectors(domain, leaseId),
  };
}

/** What changes a lease: the change itself, and the roster that is recorded for it. */
function changeVectors(domain: EscrowDomain, leaseId: LeaseId, members: readonly Member[]) {
  const roster = rosterSchema.parse({
    opened: 2,
    maxSeconds: Number(maxUint(40)),
    deposit: maxUint(96),
    from: [0, 1_800_000_000, Number(maxUint(40))],
    until: [1, Number(maxUint(40)), 0],
  });
  const rosterHash = hashRoster({ members: [...members], roster });
  const change = changeSchema.parse({
    before: rosterHash,
    dismissed: maxUint(256),
    maxSeconds: 7_200,
    deposit: maxUint(96) - 1n,
    changeBy: Number(maxUint(40)),
  });
  return {
    membersHash: hashMembers(members),
    roster,
    rosterHash,
    change,
    changeDigest: hashChange(domain, leaseId, change, members),
    changeDigestWithoutMembers: hashChange(domain, leaseId, change, []),
  };
}

/** What renters agree to beside leases: sessions, sets, stops, withdrawals. */
function consentVectors(domain: EscrowDomain, leaseId: LeaseId) {
  const renter = address('77');
  const grant = sessionGrantSchema.parse({
    renter,
    key: address('79'),
    spendLimit: maxUint(96),
    maxRate: maxUint(64),
    maxDevices: 0xffffffff,
    validUntil: Number(maxUint(40)),
    nonce: 7n,
  });
  const ids = ['0a', '0b', '0c', '0d'].map((byte) => leaseIdSchema.parse(`0x${byte.repeat(32)}`));
  const tree = orderTree([...ids, leaseId]);
  const set = orderSetSchema.parse({
    ...{ renter, root: tree.root, count: 5, totalDeposit: maxUint(128), openBy: Number(maxUint(40)), salt: 9n },
  });
  const stop = { leaseId, deadline: Number(maxUint(40)) };
  const withdraw = { owner: renter, to: address('a1'), amount: maxUint(256), nonce: 3n, deadline: 1_900_000_000 };
  return {
    grant,
    grantDigest: hashSessionGrant(domain, grant),
    set,
    setDigest: hashOrderSet(domain, set),
    setLeaves: [...ids, leaseId],
    setProofs: tree.proofs,
    stop,
    stopDigest: hashStop(domain, stop),
    withdraw,
    withdrawDigest: hashWithdraw(domain, withdraw),
  };
}

/** The largest values that the contract's types hold, all at once. */
function cornerCases() {
  const largest = {
    units: maxUint(96),
    rate: maxUint(64),
    devices: Number(maxUint(32)),
    openedAt: 0,
    accrueFrom: 0,
    now: Number(maxUint(40)),
    stopAt: 0,
    maxSeconds: Number(maxUint(40)),
    prepay: Number(maxUint(16)),
  };
  return [
    largest,
    { ...largest, openedAt: Number(maxUint(40)) },
    { ...largest, stopAt: Number(maxUint(40)) },
    { ...largest, stopAt: 1 },
    { ...largest, prepay: 0, accrueFrom: Number(maxUint(40)) - 1 },
  ].map(priced);
}

/** Even cases are leases as they happen, odd ones have every field drawn towards the ends of its width. */
function chargeCase(index: number) {
  const draw = drawer(index);
  return priced(index % 2 === 0 ? plausibleCase(draw) : extremeCase(draw));
}

function priced(one: MemberClock & { readonly units: bigint; readonly rate: bigint; readonly now: number }) {
  const paid = payableUnits(one.units, one, one.now);
  return { ...one, payableUnits: paid, charge: chargeDown(paid, one.rate) };
}

function plausibleCase(draw: Draw) {
  const openedAt = 1_800_000_000 + draw.number(24);
  const now = openedAt + draw.number(17);
  return {
    units: draw.bits(20),
    devices: 1 + draw.number(3),
    rate: draw.bits(41),
    openedAt,
    accrueFrom: draw.oneOf([0, openedAt, openedAt + draw.number(16), now, now + 1]),
    now,
    stopAt: draw.oneOf([0, 0, openedAt + draw.number(17), now, now + 1]),
    maxSeconds: 1 + draw.number(17),
    prepay: draw.oneOf([0, 30, 60, draw.number(16)]),
  };
}

function extremeCase(draw: Draw) {
  const openedAt = Number(draw.extreme(40));
  const later = (width: number) => Math.min(openedAt + Number(draw.extreme(width)), Number(maxUint(40)));
  return {
    units: draw.extreme(96),
    devices: Number(draw.extreme(32)),
    rate: draw.extreme(64),
    openedAt,
    accrueFrom: draw.oneOf([0, Number(draw.extreme(40)), later(24)]),
    now: draw.oneOf([Number(draw.extreme(40)), later(40), later(24)]),
    stopAt: draw.oneOf([0, Number(draw.extreme(40)), later(24)]),
    maxSeconds: Number(draw.extreme(40)),
    prepay: Number(draw.extreme(16)),
  };
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  for (const [path, content] of await generateVectors()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    console.log(path);
  }
}
