import {
  type ChangedLease,
  hashMembers,
  hashOrder,
  LatentError,
  type LeaseId,
  type LeaseTerms,
  leaseEscrowAbi,
  type SignedClose,
  type SignedVoucher,
} from '@latent/protocol';
import { type LocalAccount, parseEventLogs, zeroHash } from 'viem';
import type { ChainClient } from '../chain/connect-chain.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';
import { compactSignature, settlementRow } from './settlement.ts';

export interface SettleParameters {
  /** Pays the gas; anybody may. */
  readonly account: LocalAccount;
  readonly terms: LeaseTerms;
  /** What the lease was changed to, if it was. See `leaseHistory`. */
  readonly changed?: ChangedLease | undefined;
  /** Units that the last payment recorded; empty if there was none. See `leaseHistory`. */
  readonly paidUnits: readonly bigint[];
}

/**
 * Pays operators what a voucher proves so far; the lease goes on.
 * @throws LatentError LEASE_NOT_SETTLED when the contract found nothing new to pay, or the row wrong
 */
export async function checkpointLease(
  client: ChainClient,
  parameters: SettleParameters & { readonly voucher: SignedVoucher },
): Promise<SentTransaction> {
  const { account, terms, voucher } = parameters;
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'checkpoint',
    args: [[settlementRow({ changed: undefined, ...parameters, voucher })]],
  });
  const sent = await sendTransaction(client, account, { to: client.deployment.escrow, data });
  assertEvent(client, sent, 'Paid', terms);
  return sent;
}

/**
 * Closes a lease whose members all signed what they claim: pay, fee and refund in one call.
 * @param closes one per member, in order; undefined for those that left, who have nothing more to claim
 * @throws LatentError LEASE_NOT_SETTLED
 */
export async function closeLease(
  client: ChainClient,
  parameters: SettleParameters & {
    readonly voucher: SignedVoucher | undefined;
    readonly closes: readonly (SignedClose | undefined)[];
  },
): Promise<SentTransaction> {
  const { account, terms, voucher, closes, paidUnits } = parameters;
  const signatures = closes.map((close) =>
    close === undefined ? { r: zeroHash, vs: zeroHash } : compactSignature(close.signature),
  );
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'close',
    args: [
      [
        {
          settlement: settlementRow({ changed: undefined, ...parameters, voucher }),
          claimed: closes.map((close, index) => close?.units ?? paidUnits[index] ?? 0n),
          r: signatures.map(({ r }) => r),
          vs: signatures.map(({ vs }) => vs),
        },
      ],
    ],
  });
  const sent = await sendTransaction(client, account, { to: client.deployment.escrow, data });
  assertEvent(client, sent, 'Closed', terms);
  return sent;
}

/** Freezes the clock of a lease. Renter, session key or meter key only. @throws LatentError CHAIN_REVERTED */
export async function stopLease(
  client: ChainClient,
  account: LocalAccount,
  terms: LeaseTerms,
): Promise<SentTransaction> {
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'stop',
    args: [terms.order, hashMembers(terms.members)],
  });
  return sendTransaction(client, account, { to: client.deployment.escrow, data });
}

/**
 * Closes a lease after its window, without the members' signatures; a last voucher is applied if given.
 * @throws LatentError LEASE_NOT_SETTLED (most likely the window has not passed)
 */
export async function finalizeLease(
  client: ChainClient,
  parameters: SettleParameters & { readonly voucher: SignedVoucher | undefined },
): Promise<SentTransaction> {
  const { account, terms, voucher } = parameters;
  const data = encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'finalize',
    args: [[settlementRow({ changed: undefined, ...parameters, voucher })]],
  });
  const sent = await sendTransaction(client, account, { to: client.deployment.escrow, data });
  assertEvent(client, sent, 'Closed', terms);
  return sent;
}

/** Rows of a batch are skipped, never reverted: only the event says that the row was taken. */
function assertEvent(
  client: ChainClient,
  sent: SentTransaction,
  eventName: 'Paid' | 'Closed',
  terms: LeaseTerms,
): void {
  const leaseId: LeaseId = hashOrder(client.domain, terms);
  const events = parseEventLogs({ abi: leaseEscrowAbi, eventName, logs: sent.receipt.logs });
  if (!events.some((event) => event.args.leaseId === leaseId)) {
    throw new LatentError(
      'LEASE_NOT_SETTLED',
      `Transaction ${sent.hash} was mined, but the contract skipped lease ${leaseId}.`,
      {
        details: { leaseId, hash: sent.hash },
        hint: 'It may have been settled already, or its closing window has not passed. `latent bill` shows its state.',
      },
    );
  }
}
