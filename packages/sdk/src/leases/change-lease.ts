import {
  type Change,
  type ChangedLease,
  dismissedBits,
  hashAsk,
  hashChange,
  hashRoster,
  LatentError,
  type LeaseId,
  type LeaseTerms,
  leaseEscrowAbi,
  leastDeposit,
  type Member,
  openingRoster,
  type Roster,
  type SignedAsk,
  signChange,
} from '@latent/protocol';
import { type LocalAccount, parseEventLogs, zeroHash } from 'viem';
import { authorizeTransfer } from '../chain/authorize-transfer.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';
import { leaseHistory } from './lease-history.ts';
import { matchAsks } from './match-asks.ts';
import { readChainTime } from './read-chain-time.ts';
import { readLease } from './read-lease.ts';
import { settlementRow } from './settlement.ts';

/** How long the transaction stays good; the deposit has to hold at each of these seconds. */
const CHANGE_SECONDS = 120;

export interface WantedLeaseChange {
  /** Places of members whose clocks are to end, a prepay from now. */
  readonly dismissed?: readonly number[];
  /** Machines to add; each starts its own clock. */
  readonly added?: readonly { readonly signed: SignedAsk; readonly devices: number }[];
  /** Length of the lease from its opening on; as it is unless given, and never less. */
  readonly maxSeconds?: number;
  /** Asks of the members that serve to the end, in order: needed where the lease gets longer. */
  readonly asks?: readonly SignedAsk[];
  /** Base units to hold from now on; the least that the contract accepts unless given. */
  readonly deposit?: bigint;
}

/** A change that is drafted against the lease as it is, with what it costs. Nothing is signed or sent. */
export interface LeaseChangePlan {
  readonly leaseId: LeaseId;
  readonly terms: LeaseTerms;
  readonly change: Change;
  readonly added: readonly Member[];
  readonly wanted: WantedLeaseChange;
  /** Base units that are held now, what was charged included. */
  readonly deposit: bigint;
  /** The least that the contract accepts for this change until `change.changeBy`. */
  readonly leastDeposit: bigint;
  /** Base units that have to be paid in; negative: what comes back. */
  readonly missing: bigint;
  /** The row that the contract is shown. */
  readonly row: ReturnType<typeof settlementRow>;
  /** All members as they are before the change, and their roster. */
  readonly before: ChangedLease;
}

/**
 * Drafts a change of a running lease: looks at it on chain, names what it was changed to last, and computes the least
 * deposit.
 * @throws LatentError LEASE_NOT_ACTIVE; CONFIG_INVALID if the deposit that is wanted is too small, with the least
 */
export async function planChange(
  client: ChainClient,
  leaseId: LeaseId,
  wanted: WantedLeaseChange,
): Promise<LeaseChangePlan> {
  const [lease, history, nowSeconds] = await Promise.all([
    readLease(client, leaseId),
    leaseHistory(client, leaseId),
    readChainTime(client),
  ]);
  const { terms, changed, paidUnits } = history;
  if (lease.state !== 'active' || terms === undefined) {
    throw new LatentError('LEASE_NOT_ACTIVE', `Lease ${leaseId} is ${lease.state} on chain: it cannot be changed.`, {
      details: { leaseId },
    });
  }
  const before = changed ?? { members: terms.members, roster: openingRoster(terms) };
  const added = (wanted.added ?? []).map(({ signed: { ask }, devices }) => ({
    ask: hashAsk(client.domain, ask),
    operator: ask.operator,
    agentKey: ask.agentKey,
    devices,
    rate: ask.rate,
  }));
  const { dismissed = [], maxSeconds = before.roster.maxSeconds } = wanted;
  const running = { ...before, paidUnits, ...{ openedAt: lease.openedAt, stopAt: lease.stopAt } };
  const changeBy = nowSeconds + CHANGE_SECONDS;
  const least = leastDeposit(
    { ...running, prepay: terms.order.prepay },
    { dismissed, maxSeconds, added },
    nowSeconds,
    changeBy,
  );
  const deposit = wanted.deposit ?? least;
  if (deposit < least) throw tooSmall(leaseId, deposit, least);
  return {
    ...{ leaseId, terms, added, wanted, before },
    change: {
      before: changed === undefined ? zeroHash : hashRoster(changed),
      dismissed: dismissedBits(dismissed),
      ...{ maxSeconds, deposit, changeBy },
    },
    deposit: before.roster.deposit,
    leastDeposit: least,
    missing: deposit - before.roster.deposit,
    row: settlementRow({ terms, changed, paidUnits, voucher: undefined }),
  };
}

/** Who consents to a change, and where missing money comes from. */
export type ChangeConsent =
  /** The renter's or the session's own call or signature; what is missing comes from the renter's balance in the escrow. */
  | { readonly kind: 'balance'; readonly signer: LocalAccount }
  /** One ERC-3009 signature of the renter pays for it; only where something is missing. */
  | { readonly kind: 'authorization'; readonly renter: LocalAccount };

/**
 * Changes a running lease: members added, dismissed or replaced (both at once), length, deposit; all or nothing.
 * @param sender pays the gas; whoever consents unless given
 * @returns the lease as it is from now on
 * @throws LatentError CHAIN_REVERTED (StaleTerms: plan it again; contract's error in `details.error`), CHAIN_UNREACHABLE,
 * FUNDS_TOO_LOW
 */
export async function changeLease(
  client: ChainClient,
  plan: LeaseChangePlan,
  consent: ChangeConsent,
  sender: LocalAccount = consent.kind === 'balance' ? consent.signer : consent.renter,
): Promise<{ readonly sent: SentTransaction; readonly changed: ChangedLease }> {
  const data = await encodeChange(client, plan, consent, sender);
  const sent = await sendTransaction(client, sender, { to: client.deployment.escrow, data });
  const roster = rosterIn(sent, plan.leaseId);
  return { sent, changed: { members: [...plan.before.members, ...plan.added], roster } };
}

async function encodeChange(
  client: ChainClient,
  { leaseId, row, change, added, wanted, missing }: LeaseChangePlan,
  consent: ChangeConsent,
  sender: LocalAccount,
) {
  const matched = matchAsks(
    added,
    (wanted.added ?? []).map(({ signed }) => signed),
  );
  const asks = (wanted.asks ?? []).map(({ ask }) => ask);
  if (consent.kind === 'authorization') {
    const nonce = hashChange(client.domain, leaseId, change, added);
    const terms = { amount: missing, nonce, validBefore: change.changeBy };
    const authorization = await authorizeTransfer(client, consent.renter, terms);
    return encodeCall({
      abi: leaseEscrowAbi,
      functionName: 'changeWithAuthorization',
      args: [row, change, matched, asks, ...authorization],
    });
  }
  const { signer } = consent;
  const signature =
    sender.address === signer.address ? '0x' : await signChange(signer, client.domain, leaseId, change, added);
  return encodeCall({
    abi: leaseEscrowAbi,
    functionName: 'change',
    args: [row, change, matched, asks, signature],
  });
}

function rosterIn(sent: SentTransaction, leaseId: LeaseId): Roster {
  const events = parseEventLogs({ abi: leaseEscrowAbi, eventName: 'Changed', logs: sent.receipt.logs });
  const roster = events.find(({ args }) => args.leaseId === leaseId)?.args.roster;
  if (roster === undefined) {
    throw new LatentError('CHAIN_WRONG', `Transaction ${sent.hash} succeeded, but says nothing of lease ${leaseId}.`);
  }
  return { ...roster, from: [...roster.from], until: [...roster.until] };
}

function tooSmall(leaseId: LeaseId, deposit: bigint, least: bigint): LatentError {
  return new LatentError(
    'CONFIG_INVALID',
    `A deposit of ${deposit} base units does not cover what the members can still be paid: it takes ${least}.`,
    { details: { leaseId, deposit, least }, hint: `Hold at least ${least}, or dismiss members.` },
  );
}
