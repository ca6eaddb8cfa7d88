import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addressSchema,
  hashAsk,
  hashOrder,
  type LeaseId,
  type LeaseTerms,
  type PeerKey,
  type PeerLinkMessage,
  RELAY_UNIT_BYTES,
  relayAnswerSchema,
  requiredDeposit,
  type SignedRelayAsk,
  type SignedVoucher,
  signAttach,
  signVoucher,
} from '@latent/protocol';
import { type Hex, keccak256, type LocalAccount, toHex, zeroAddress, zeroHash } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import {
  type BenchOptions,
  type BookBench,
  createMemoryRegistry,
  domain,
  NOW,
  openBench,
} from '../book-bench.fixture.ts';
import type { LeaseReader, LeaseSeen } from './chain-leases.ts';
import { FOLLOW_MS } from './open-paid-relay.ts';

export const MIB = RELAY_UNIT_BYTES;
const OPERATOR = addressSchema.parse(`0x${'0e'.repeat(20)}`);

/** Stands for the escrow. */
export interface MemoryChain extends LeaseReader {
  readonly leases: Map<LeaseId, LeaseSeen>;
  /** How often it was asked. */
  reads: number;
}

function createMemoryChain(): MemoryChain {
  const chain: MemoryChain = {
    leases: new Map(),
    reads: 0,
    read: async (leaseId) => {
      chain.reads += 1;
      return chain.leases.get(leaseId) ?? { state: 'none', isChanged: false, openedAt: 0, stopAt: 0 };
    },
  };
  return chain;
}

export interface RelayBench extends BookBench, AsyncDisposable {
  readonly offer: SignedRelayAsk;
  readonly chain: MemoryChain;
  readonly dataDir: string;
}

/** A book that relays nothing without payment, unless told otherwise, and whose relay belongs to its operator. */
export async function openRelayBench(given: BenchOptions & { readonly chain?: MemoryChain } = {}): Promise<RelayBench> {
  const { chain = createMemoryChain(), registry = createMemoryRegistry(), ...options } = given;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'relay-book-')));
  const bench = await openBench({
    ...{ relayFreeBytesPerKey: 0, relayBytesPerSecond: 1e12, relayBytesPerSecondPerAddress: 1e12 },
    relay: { operator: OPERATOR, pricePerGib: '10000', prepay: 10 },
    ...options,
    ...{ dataDir, chain, registry },
  });
  const ask = async () => relayAnswerSchema.parse((await bench.get('/v1/relay')).body);
  const { join: joining } = await ask();
  if (joining === null) throw new Error('the book relays nothing for payment');
  registry.agents.set(joining.agentKey, { operator: OPERATOR, epoch: 0 });
  let { offer } = await ask();
  while (offer === null) {
    await bench.clock.advance(FOLLOW_MS);
    ({ offer } = await ask());
  }
  return {
    ...bench,
    ...{ offer, chain, dataDir },
    [Symbol.asyncDispose]: async () => {
      await bench.book.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface PaidTerms {
  readonly leaseId: LeaseId;
  readonly terms: LeaseTerms;
  readonly voucher: (units: bigint, accrueFrom?: number) => Promise<SignedVoucher>;
  readonly pay: (peer: PeerKey, units: bigint) => Promise<Extract<PeerLinkMessage, { kind: 'pay' }>>;
}

export const accountOf = (name: string): LocalAccount => privateKeyToAccount(keccak256(toHex(name)));

/** A lease with the relay, by a meter key of its own; open on the chain if one is given. */
export function draftPaid(
  { offer, chain }: Pick<RelayBench, 'offer' | 'chain'>,
  { name = 'lease', devices = 100, seconds = 3_600, openedAt = NOW, isOpen = true } = {},
): PaidTerms {
  const meter = accountOf(`meter of ${name}`);
  const { ask } = offer;
  const members = [
    { ask: hashAsk(domain, ask), operator: ask.operator, agentKey: ask.agentKey, devices, rate: ask.rate },
  ];
  const terms: LeaseTerms = {
    order: {
      ...{ renter: accountOf('renter').address, session: zeroAddress, meterKey: meter.address },
      ...{ deposit: requiredDeposit(members, seconds), maxSeconds: seconds, closeWindow: ask.closeWindow },
      ...{ prepay: ask.prepay, maxFeeBps: 50, openBy: NOW + 120, workload: zeroHash, salt: 1n },
    },
    members,
  };
  const leaseId = hashOrder(domain, terms);
  if (isOpen) chain.leases.set(leaseId, { state: 'active', isChanged: false, openedAt, stopAt: 0 });
  const voucher = (units: bigint, accrueFrom = 0) =>
    signVoucher({ address: meter.address, sign: ({ hash }: { hash: Hex }) => signWith(meter, hash) }, domain, {
      ...{ leaseId, units: [units], accrueFrom: [accrueFrom] },
    });
  return {
    ...{ leaseId, terms, voucher },
    pay: async (peer, units) => ({
      ...{ kind: 'pay', terms, voucher: await voucher(units) },
      signature: await signAttach(meter, domain, leaseId, peer),
    }),
  };
}

async function signWith(account: LocalAccount, hash: Hex): Promise<Hex> {
  if (account.sign === undefined) throw new Error('a local key signs digests');
  return account.sign({ hash });
}
