import fc from 'fast-check';
import { type Address, encodeAbiParameters, type Hex, keccak256, parseAbiParameters, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { LatentError } from '../errors/latent-error.ts';
import { addressSchema, askIdSchema, hex32Schema, leaseIdSchema, peerKeySchema } from '../ids.ts';
import {
  checkAttach,
  checkHold,
  hashClose,
  hashJoin,
  isPresenceOf,
  recoverClose,
  signAttach,
  signClose,
  signHold,
  signPresence,
} from './agreement.ts';
import { type Ask, checkSignedAsk, hashAsk, hashResource, type Resource, type SignedAsk, signAsk } from './ask.ts';
import { hashOrder, type LeaseTerms, requiredDeposit } from './order.ts';
import { checkVoucher, hashVoucher, signVoucher, type Voucher } from './voucher.ts';

const agent = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const other = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const address = (byte: string) => addressSchema.parse(`0x${byte.repeat(20)}`);
const word = (byte: string) => hex32Schema.parse(`0x${byte.repeat(32)}`);
const domain = { chainId: 31_337, escrow: address('e5') };
const NOW = 1_800_000_000;

const resource: Resource = {
  kind: 'gpu',
  model: 'Test 9000',
  deviceMemoryMiB: 24_576,
  cpuCores: 16,
  memoryMiB: 65_536,
  region: 'eu-west',
  site: 'attic',
  isolation: 'namespaces',
  peerKey: peerKeySchema.parse(word('9b')),
  hints: ['tcp://192.0.2.1:1'],
};
const ask: Ask = {
  operator: address('a1'),
  agentKey: agent.address,
  resource: hashResource(resource),
  devices: 8,
  rate: 555_555_555_555n,
  maxSeconds: 86_400,
  closeWindow: 3_600,
  prepay: 30,
  maxFeeBps: 50,
  validUntil: NOW + 600,
  epoch: 3,
  salt: 7n,
};
const terms: LeaseTerms = {
  order: {
    renter: address('77'),
    session: address('79'),
    meterKey: other.address,
    deposit: 1_000_000n,
    maxSeconds: 3_600,
    closeWindow: 7_200,
    prepay: 60,
    maxFeeBps: 25,
    openBy: NOW + 60,
    workload: word('5a'),
    salt: 42n,
  },
  members: [
    { ask: hashAsk(domain, ask), operator: ask.operator, agentKey: ask.agentKey, devices: 4, rate: ask.rate },
    { ask: askIdSchema.parse(word('0a')), operator: address('c3'), agentKey: address('d4'), devices: 1, rate: 5n },
  ],
};
const leaseId = hashOrder(domain, terms);
const voucher: Voucher = { leaseId, units: [14_400n, 3n], accrueFrom: [0, NOW] };

/** EIP-712 by hand, from the type strings of `LeaseHash.sol`. */
function digest(name: string, verifyingContract: Address, struct: Hex): Hex {
  const type = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';
  const separator = keccak256(
    encodeAbiParameters(parseAbiParameters('bytes32, bytes32, bytes32, uint256, address'), [
      keccak256(stringToHex(type)),
      keccak256(stringToHex(name)),
      keccak256(stringToHex('1')),
      BigInt(domain.chainId),
      verifyingContract,
    ]),
  );
  return keccak256(`0x1901${separator.slice(2)}${struct.slice(2)}`);
}
const escrowDigest = (struct: Hex) => digest('Latent LeaseEscrow', domain.escrow, struct);
const typeHash = (type: string) => keccak256(stringToHex(type));

const MEMBER = 'Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)';

describe('digests', () => {
  it('of an ask are those of EIP-712', () => {
    const type =
      'Ask(address operator,address agentKey,bytes32 resource,uint32 devices,uint64 rate,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 validUntil,uint32 epoch,uint256 salt)';
    const struct = encodeAbiParameters(
      parseAbiParameters(
        'bytes32, address, address, bytes32, uint32, uint64, uint40, uint32, uint16, uint16, uint40, uint32, uint256',
      ),
      [
        typeHash(type),
        ask.operator,
        ask.agentKey,
        ask.resource,
        ask.devices,
        ask.rate,
        ask.maxSeconds,
        ask.closeWindow,
        ask.prepay,
        ask.maxFeeBps,
        ask.validUntil,
        ask.epoch,
        ask.salt,
      ],
    );
    expect(hashAsk(domain, ask)).toBe(escrowDigest(keccak256(struct)));
  });

  it('of an order are those of EIP-712, members included', () => {
    const type = `Order(address renter,address session,address meterKey,Member[] members,uint96 deposit,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 openBy,bytes32 workload,uint256 salt)${MEMBER}`;
    const members = terms.members.map((member) =>
      keccak256(
        encodeAbiParameters(parseAbiParameters('bytes32, bytes32, address, address, uint32, uint64'), [
          typeHash(MEMBER),
          member.ask,
          member.operator,
          member.agentKey,
          member.devices,
          member.rate,
        ]),
      ),
    );
    const { order } = terms;
    const struct = encodeAbiParameters(
      parseAbiParameters(
        'bytes32, address, address, address, bytes32, uint96, uint40, uint32, uint16, uint16, uint40, bytes32, uint256',
      ),
      [
        typeHash(type),
        order.renter,
        order.session,
        order.meterKey,
        keccak256(`0x${members.map((hash) => hash.slice(2)).join('')}`),
        order.deposit,
        order.maxSeconds,
        order.closeWindow,
        order.prepay,
        order.maxFeeBps,
        order.openBy,
        order.workload,
        order.salt,
      ],
    );
    expect(leaseId).toBe(escrowDigest(keccak256(struct)));
  });

  it('of a voucher, a close and a join are those of EIP-712', () => {
    const packed = (values: readonly bigint[]) =>
      keccak256(`0x${values.map((value) => value.toString(16).padStart(64, '0')).join('')}`);
    const voucherStruct = encodeAbiParameters(parseAbiParameters('bytes32, bytes32, bytes32, bytes32'), [
      typeHash('Voucher(bytes32 leaseId,uint96[] units,uint40[] accrueFrom)'),
      leaseId,
      packed(voucher.units),
      packed(voucher.accrueFrom.map(BigInt)),
    ]);
    const closeStruct = encodeAbiParameters(parseAbiParameters('bytes32, bytes32, uint32, uint96'), [
      typeHash('Close(bytes32 leaseId,uint32 member,uint96 units)'),
      leaseId,
      4,
      9n,
    ]);
    const joinStruct = encodeAbiParameters(parseAbiParameters('bytes32, address, address'), [
      typeHash('Join(address operator,address agentKey)'),
      ask.operator,
      ask.agentKey,
    ]);
    const operators = address('0f');
    expect(hashVoucher(domain, voucher)).toBe(escrowDigest(keccak256(voucherStruct)));
    expect(hashClose(domain, { leaseId, member: 4, units: 9n })).toBe(escrowDigest(keccak256(closeStruct)));
    expect(hashJoin(domain.chainId, operators, ask.operator, ask.agentKey)).toBe(
      digest('Latent Operators', operators, keccak256(joinStruct)),
    );
  });

  const changedAsks: readonly (readonly [string, Ask])[] = [
    ['operator', { ...ask, operator: address('a2') }],
    ['agentKey', { ...ask, agentKey: address('a2') }],
    ['resource', { ...ask, resource: word('a2') }],
    ['devices', { ...ask, devices: 9 }],
    ['rate', { ...ask, rate: ask.rate - 1n }],
    ['maxSeconds', { ...ask, maxSeconds: 1 }],
    ['closeWindow', { ...ask, closeWindow: 3_601 }],
    ['prepay', { ...ask, prepay: 31 }],
    ['maxFeeBps', { ...ask, maxFeeBps: 51 }],
    ['validUntil', { ...ask, validUntil: ask.validUntil + 1 }],
    ['epoch', { ...ask, epoch: 4 }],
    ['salt', { ...ask, salt: 8n }],
  ];

  it.each(changedAsks)('change with the %s of an ask, so that the signature holds no more', async (field, changed) => {
    expect(Object.keys(ask)).toContain(field);
    expect(hashAsk(domain, changed)).not.toBe(hashAsk(domain, ask));
    const { signature } = await signAsk(agent, domain, ask, resource);
    const code = field === 'resource' ? 'ASK_RESOURCE_MISMATCH' : 'ASK_BAD_SIGNATURE';
    await expect(checkSignedAsk(domain, { ask: changed, resource, signature }, NOW)).rejects.toMatchObject({ code });
  });

  it('cover every field of an ask above', () => {
    expect(changedAsks.map(([field]) => field)).toEqual(Object.keys(ask));
  });

  it('change with every field of a resource', () => {
    const changes: Resource[] = [
      { ...resource, kind: 'cpu' },
      { ...resource, model: 'Test 9001' },
      { ...resource, deviceMemoryMiB: 1 },
      { ...resource, cpuCores: 17 },
      { ...resource, memoryMiB: 1 },
      { ...resource, region: 'us-east' },
      { ...resource, site: 'cellar' },
      { ...resource, isolation: 'none' },
      { ...resource, peerKey: peerKeySchema.parse(word('9c')) },
      { ...resource, hints: [] },
    ];
    expect(changes).toHaveLength(Object.keys(resource).length);
    expect(new Set([...changes, resource].map(hashResource)).size).toBe(changes.length + 1);
  });

  it('change with every part of an order', () => {
    const { order, members } = terms;
    const [first, second] = [members[0]!, members[1]!];
    const changes: LeaseTerms[] = [
      { members, order: { ...order, renter: address('78') } },
      { members, order: { ...order, session: address('78') } },
      { members, order: { ...order, meterKey: address('78') } },
      { members, order: { ...order, deposit: 1n } },
      { members, order: { ...order, maxSeconds: 1 } },
      { members, order: { ...order, closeWindow: 1 } },
      { members, order: { ...order, prepay: 1 } },
      { members, order: { ...order, maxFeeBps: 1 } },
      { members, order: { ...order, openBy: 1 } },
      { members, order: { ...order, workload: word('01') } },
      { members, order: { ...order, salt: 1n } },
      { order, members: [first] },
      { order, members: [second, first] },
      { order, members: [{ ...first, rate: 1n }, second] },
      { order, members: [{ ...first, devices: 1 }, second] },
      { order, members: [{ ...first, operator: address('78') }, second] },
      { order, members: [{ ...first, agentKey: address('78') }, second] },
      { order, members: [{ ...first, ask: askIdSchema.parse(word('01')) }, second] },
    ];
    expect(new Set([...changes, terms].map((one) => hashOrder(domain, one))).size).toBe(changes.length + 1);
  });
});

describe('checkSignedAsk', () => {
  it('gives the id of an ask that its agent signed for this escrow', async () => {
    const signed = await signAsk(agent, domain, ask, resource);
    expect(await checkSignedAsk(domain, signed, NOW)).toBe(hashAsk(domain, ask));
  });

  it.each([
    ['another chain', { ...domain, chainId: 1 }],
    ['another escrow', { ...domain, escrow: address('e6') }],
  ])('refuses an ask signed for %s', async (_, elsewhere) => {
    const signed = await signAsk(agent, elsewhere, ask, resource);
    await expect(checkSignedAsk(domain, signed, NOW)).rejects.toMatchObject({ code: 'ASK_BAD_SIGNATURE' });
  });

  it('refuses an ask that another key signed, or that has just expired', async () => {
    await expect(checkSignedAsk(domain, await signAsk(other, domain, ask, resource), NOW)).rejects.toMatchObject({
      code: 'ASK_BAD_SIGNATURE',
    });
    const signed = await signAsk(agent, domain, ask, resource);
    await expect(checkSignedAsk(domain, signed, ask.validUntil)).rejects.toMatchObject({ code: 'ASK_EXPIRED' });
  });

  it('refuses the other form of a valid signature, which the contract would not take', async () => {
    const signed = await signAsk(agent, domain, ask, resource);
    await expect(checkSignedAsk(domain, twin(signed), NOW)).rejects.toMatchObject({ code: 'ASK_BAD_SIGNATURE' });
  });
});

/** The same signature with s negated and v flipped: valid for ECDSA, made by anybody. */
function twin(signed: SignedAsk): SignedAsk {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = order - BigInt(`0x${signed.signature.slice(66, 130)}`);
  const v = signed.signature.endsWith('1b') ? '1c' : '1b';
  return { ...signed, signature: `0x${signed.signature.slice(2, 66)}${s.toString(16).padStart(64, '0')}${v}` };
}

describe('agreements', () => {
  const hold = { ask: hashAsk(domain, ask), renter: address('77'), devices: 2, heldUntil: NOW + 20 };
  const peerKey = peerKeySchema.parse(word('9b'));

  it('hold for those who signed them', async () => {
    await expect(checkHold(domain, agent.address, await signHold(agent, domain, hold))).resolves.toBeUndefined();
    expect(await recoverClose(domain, await signClose(agent, domain, { leaseId, member: 3, units: 5n }))).toBe(
      agent.address,
    );
    const attach = { leaseId, peerKey, meterKey: other.address };
    const signature = await signAttach(other, domain, leaseId, peerKey);
    await expect(checkAttach(domain, { ...attach, signature })).resolves.toBeUndefined();
    const presence = await signPresence(agent, domain, 'http://book:7001/v1', word('cc'));
    const shown = { agentKey: agent.address, book: 'http://book:7001', challenge: word('cc'), signature: presence };
    expect(await isPresenceOf(domain, shown)).toBe(true);
    expect(await isPresenceOf(domain, { ...shown, challenge: word('cd') })).toBe(false);
    expect(await isPresenceOf(domain, { ...shown, book: 'http://other:7001' })).toBe(false);
  });

  it.each([
    { ...hold, devices: 3 },
    { ...hold, heldUntil: NOW + 21 },
    { ...hold, renter: address('78') },
    { ...hold, ask: askIdSchema.parse(word('01')) },
  ])('do not hold once changed (hold %#)', async (changed) => {
    const { signature } = await signHold(agent, domain, hold);
    await expect(checkHold(domain, agent.address, { ...changed, signature })).rejects.toMatchObject({
      code: 'HOLD_BAD_SIGNATURE',
    });
  });

  it('let no stranger attach to a lease', async () => {
    const signature = await signAttach(agent, domain, leaseId, peerKey);
    const attach = { leaseId, peerKey, meterKey: other.address, signature };
    await expect(checkAttach(domain, attach)).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });

  it('take a voucher of the meter key only, for this lease, with one entry per member', async () => {
    const lease = { leaseId, order: terms.order, memberCount: 2 };
    const signed = await signVoucher(other, domain, voucher);
    await expect(checkVoucher(domain, lease, signed)).resolves.toBeUndefined();
    const code = async (given: typeof signed) => checkVoucher(domain, lease, given).catch((error) => error.code);
    expect(await code(await signVoucher(agent, domain, voucher))).toBe('VOUCHER_BAD_SIGNATURE');
    expect(await code({ ...signed, units: [14_401n, 3n] })).toBe('VOUCHER_BAD_SIGNATURE');
    expect(await code({ ...signed, accrueFrom: [0, 0] })).toBe('VOUCHER_BAD_SIGNATURE');
    expect(await code({ ...signed, units: [1n] })).toBe('LEASE_MISMATCH');
    expect(await code({ ...signed, leaseId: leaseIdSchema.parse(word('01')) })).toBe('LEASE_MISMATCH');
  });
});

describe('garbage signatures', () => {
  const garbage = fc
    .oneof(
      fc.uint8Array({ minLength: 65, maxLength: 65 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }).map((rs) => new Uint8Array([...rs, 27])),
      fc.uint8Array({ maxLength: 70 }),
    )
    .map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);

  it('never throw anything but a LatentError', async () => {
    await fc.assert(
      fc.asyncProperty(garbage, async (signature) => {
        const lease = { leaseId, order: terms.order, memberCount: 2 };
        const hold = { ask: hashAsk(domain, ask), renter: address('77'), devices: 2, heldUntil: NOW };
        const peerKey = peerKeySchema.parse(word('9b'));
        const outcomes = await Promise.allSettled([
          checkSignedAsk(domain, { ask, resource, signature }, NOW),
          checkHold(domain, agent.address, { ...hold, signature }),
          checkVoucher(domain, lease, { ...voucher, signature }),
          checkAttach(domain, { leaseId, peerKey, meterKey: other.address, signature }),
        ]);
        for (const outcome of outcomes) {
          expect(outcome.status === 'rejected' && outcome.reason instanceof LatentError).toBe(true);
        }
        expect(await recoverClose(domain, { leaseId, member: 0, units: 1n, signature })).not.toBe(agent.address);
        expect(
          await isPresenceOf(domain, {
            agentKey: agent.address,
            book: 'http://book',
            challenge: word('cc'),
            signature,
          }),
        ).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});

describe('requiredDeposit', () => {
  it('rounds up per member, so that the contract never asks for more', () => {
    expect(
      requiredDeposit(
        [
          { devices: 1, rate: 1n },
          { devices: 3, rate: 1n },
        ],
        1,
      ),
    ).toBe(2n);
    expect(requiredDeposit([{ devices: 8, rate: 555_555_555_555n }], 3_600)).toBe(16_000_000n);
  });
});
