import { type Address, type Hex, hashTypedData, type LocalAccount } from 'viem';
import type { LeaseId } from '../ids.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import { messageTypes } from './typed-data.ts';

/** A stop that anybody may send for the renter, its session key or the meter key. `deadline` in unix seconds. */
export interface Stop {
  readonly leaseId: LeaseId;
  readonly deadline: number;
}

/** A withdrawal that anybody may send for the owner of a balance in the escrow. */
export interface Withdraw {
  readonly owner: Address;
  readonly to: Address;
  /** Base units. */
  readonly amount: bigint;
  /** The owner's next, see `nonces` of the escrow. */
  readonly nonce: bigint;
  /** Unix seconds. */
  readonly deadline: number;
}

export function hashStop(domain: EscrowDomain, stop: Stop): Hex {
  return hashTypedData(stopTypedData(domain, stop));
}

export async function signStop(account: LocalAccount, domain: EscrowDomain, stop: Stop): Promise<Hex> {
  return account.signTypedData(stopTypedData(domain, stop));
}

export function hashWithdraw(domain: EscrowDomain, withdraw: Withdraw): Hex {
  return hashTypedData(withdrawTypedData(domain, withdraw));
}

export async function signWithdraw(account: LocalAccount, domain: EscrowDomain, withdraw: Withdraw): Promise<Hex> {
  return account.signTypedData(withdrawTypedData(domain, withdraw));
}

function stopTypedData(domain: EscrowDomain, message: Stop) {
  return { domain: escrowDomain(domain), primaryType: 'Stop' as const, types: { Stop: messageTypes.Stop }, message };
}

function withdrawTypedData(domain: EscrowDomain, message: Withdraw) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'Withdraw' as const,
    types: { Withdraw: messageTypes.Withdraw },
    message,
  };
}
