import { randomBytes } from 'node:crypto';
import {
  hashOrder,
  type LeaseId,
  type LeaseTerms,
  type SignedAsk,
  type SignedClose,
  type SignedVoucher,
  signClose,
  signVoucher,
} from '@latent/protocol';
import { draftLease } from '@latent/sdk';
import { bytesToBigInt, bytesToHex, type LocalAccount } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { LocalNetwork } from '../harness/local-network.ts';
import type { JoinedAgent } from './join-agents.ts';

/** The terms of a lease, and everybody who signs for it. */
export interface Deal {
  readonly leaseId: LeaseId;
  readonly terms: LeaseTerms;
  readonly asks: readonly SignedAsk[];
  /** A voucher for so many device-seconds of every member. */
  voucher(units: bigint): Promise<SignedVoucher>;
  /** A claim to so many, of every member. */
  closes(units: bigint): Promise<readonly SignedClose[]>;
}

/** Drafts a lease of one device for each of these agents, by the chain's own clock. */
export async function draftDeal(
  { chain }: LocalNetwork,
  renter: LocalAccount,
  agents: readonly JoinedAgent[],
  seconds: number,
): Promise<Deal> {
  const { domain } = chain;
  const asks = agents.map(({ signed }) => signed);
  const meter = privateKeyToAccount(generatePrivateKey());
  const { timestamp } = await chain.public.getBlock();
  const terms = draftLease({
    ...{ domain, asks, seconds, devicesPerMachine: 1, renter: renter.address, meterKey: meter.address },
    ...{ nowSeconds: Number(timestamp), workload: bytesToHex(randomBytes(32)), salt: bytesToBigInt(randomBytes(8)) },
  });
  const leaseId = hashOrder(domain, terms);
  return {
    ...{ leaseId, terms, asks },
    voucher: (units) =>
      signVoucher(meter, domain, { leaseId, units: agents.map(() => units), accrueFrom: agents.map(() => 0) }),
    closes: (units) =>
      Promise.all(agents.map(({ agent }, member) => signClose(agent, domain, { leaseId, member, units }))),
  };
}
