import { leaseEscrowAbi } from '@latent/protocol';
import { encodeCall, sendTransaction } from '@latent/sdk';
import { type LocalAccount, parseSignature, signatureToCompactSignature } from 'viem';
import type { LocalNetwork } from '../harness/local-network.ts';
import type { Deal } from './lease-deal.ts';

/**
 * Opens a lease by a call for which the sdk has no verb: `open` draws on an allowance, `openFromBalance` on what the
 * renter has deposited. The renter sends it.
 * @returns gas of the whole transaction
 */
export async function openDirectly(
  { chain }: LocalNetwork,
  renter: LocalAccount,
  deal: Deal,
  from: 'open' | 'openFromBalance',
): Promise<bigint> {
  const matched = deal.asks.map(({ ask, signature }) => {
    const { r, yParityAndS: vs } = signatureToCompactSignature(parseSignature(signature));
    return { ask, devices: 1, r, vs };
  });
  const { order } = deal.terms;
  const data =
    from === 'open'
      ? encodeCall({ abi: leaseEscrowAbi, functionName: 'open', args: [order, matched] })
      : // The renter calls: no signature is looked at.
        encodeCall({ abi: leaseEscrowAbi, functionName: 'openFromBalance', args: [order, matched, '0x'] });
  return (await sendTransaction(chain, renter, { to: chain.deployment.escrow, data })).gasUsed;
}
