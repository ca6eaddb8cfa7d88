import type { Address, TypedDataDomain } from 'viem';

/** Which escrow on which chain a message is for. A message for another one has another digest, so it cannot be replayed. */
export interface EscrowDomain {
  readonly chainId: number;
  readonly escrow: Address;
}

/** EIP-712 domain of asks, orders, vouchers, closes, holds and attachments. */
export function escrowDomain(domain: EscrowDomain): TypedDataDomain {
  return {
    name: 'Latent LeaseEscrow',
    version: '1',
    chainId: domain.chainId,
    verifyingContract: domain.escrow,
  };
}

/** EIP-712 domain of `Join`. */
export function operatorsDomain(chainId: number, operators: Address): TypedDataDomain {
  return { name: 'Latent Operators', version: '1', chainId, verifyingContract: operators };
}
