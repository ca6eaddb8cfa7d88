import { hashOrder, LatentError, leaseEscrowAbi, type SignedClose, type SignedVoucher } from '@latent/protocol';
import { parseEventLogs } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';
import type { SettleParameters } from './end-lease.ts';
import { compactSignature, settlementRow } from './settlement.ts';

/**
 * Ends one member's part alone: it is paid what it claims, and its devices are free. The rest of the lease goes on.
 * @param parameters `claim` signed by the member's agent key; `voucher` covers it, and may be left out where nothing is claimed
 * beyond what was paid. Anybody may send it.
 * @throws LatentError LEASE_NOT_SETTLED when the contract skipped it (it was paid or changed meanwhile: read the history
 * again), and those of `sendTransaction`
 */
export async function leaveLease(
  client: ChainClient,
  parameters: SettleParameters & { readonly voucher: SignedVoucher | undefined; readonly claim: SignedClose },
): Promise<SentTransaction> {
  const { account, claim } = parameters;
  const leaving = {
    settlement: settlementRow({ changed: undefined, ...parameters }),
    member: claim.member,
    claimed: claim.units,
    ...compactSignature(claim.signature),
  };
  const data = encodeCall({ abi: leaseEscrowAbi, functionName: 'leave', args: [[leaving]] });
  const sent = await sendTransaction(client, account, { to: client.deployment.escrow, data });
  const leaseId = hashOrder(client.domain, parameters.terms);
  const events = parseEventLogs({ abi: leaseEscrowAbi, eventName: 'Changed', logs: sent.receipt.logs });
  if (events.some(({ args }) => args.leaseId === leaseId)) return sent;
  throw new LatentError(
    'LEASE_NOT_SETTLED',
    `Transaction ${sent.hash} was mined, but member ${claim.member} has not left.`,
    {
      details: { leaseId, hash: sent.hash, member: claim.member },
      hint: 'The lease was paid or changed meanwhile: read its history again and repeat.',
    },
  );
}
