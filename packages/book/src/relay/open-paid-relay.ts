import { join } from 'node:path';
import { type Clock, type Logger, loadOrCreateSecret, type Store } from '@latent/kit';
import {
  type BookLinkMessage,
  type EscrowDomain,
  LatentError,
  type LeaseId,
  type PeerKey,
  type PeerLinkMessage,
  RELAY_UNIT_BYTES,
  type RelayAnswer,
  type RelayJoin,
  type SignedRelayAsk,
  signJoin,
} from '@latent/protocol';
import { bytesToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { nowSeconds } from '../book-context.ts';
import type { OperatorRegistry } from '../intake/operator-registry.ts';
import type { BookOptions } from '../options.ts';
import { publicError } from '../public-error.ts';
import type { LeaseReader } from './chain-leases.ts';
import { claimLease } from './claim-lease.ts';
import { followLeases } from './follow-leases.ts';
import { type Handed, handOnPapers } from './hand-on-papers.ts';
import { judge, openPaidLeases, type PaidLease, type Verdict } from './paid-leases.ts';
import type { RelayContext } from './relay-context.ts';
import { signOffer } from './sign-offer.ts';
import { takePayment } from './take-payment.ts';

type PaymentMessage = Extract<PeerLinkMessage, { kind: 'pay' | 'claim' }>;

/** What a paid relay needs of a link. */
export interface PayingLink {
  readonly key: PeerKey;
  tell(message: BookLinkMessage): void;
}

/** Relaying beyond what is free, for leases of the escrow. */
export interface PaidRelay {
  /** What clients are told of it. */
  answer(): RelayAnswer;
  /** Counts bytes that are to be relayed for a peer to its leases; nothing is counted but for `relay`. */
  take(peer: PeerKey, bytes: number): Verdict;
  /** What a peer says on payment. Its answer follows, in order. */
  hear(link: PayingLink, message: PaymentMessage): void;
  /** Called when a lease can pay for more than before. */
  onRoom: () => void;
  /** To be called each second: writes down what was relayed. */
  save(): void;
  /** To be called every `FOLLOW_MS`: offer, chain and keepers. */
  follow(): Promise<void>;
}

/** Often enough for the least prepay that a relay asks for. */
export const FOLLOW_MS = 4_000;
/** Messages on payment of one link that wait, and over all. */
const MAX_WAITING = 8;
const MAX_WAITING_IN_ALL = 256;
const MAX_WORDS_CHARS = 500;

export interface PaidRelayDependencies {
  readonly options: BookOptions;
  readonly domain: EscrowDomain;
  readonly urls: readonly string[];
  readonly chain: LeaseReader;
  readonly registry: OperatorRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly signal: AbortSignal;
}

/** @throws kit's error if the relay's key cannot be read */
export async function openPaidRelay(given: PaidRelayDependencies, store: Store): Promise<PaidRelay> {
  const { options } = given;
  if (options.relay === undefined) return unpaidRelay;
  const secret = await loadOrCreateSecret(join(options.dataDir, 'keys', 'relay.key'), 32, given.randomBytes);
  const account = privateKeyToAccount(bytesToHex(secret));
  const { chainId, operators } = options.deployment;
  const { operator } = options.relay;
  const joining: RelayJoin = {
    operator,
    agentKey: account.address,
    signature: await signJoin(account, chainId, operators, operator),
  };
  const context: RelayContext = { ...given, price: options.relay, account, leases: openPaidLeases(store) };
  return createPaidRelay(context, { join: joining, urls: given.urls });
}

/** Of a book that relays nothing for payment. */
const unpaidRelay: PaidRelay = {
  answer: () => ({ offer: null, join: null }),
  take: () => 'over',
  hear: (link, message) => {
    const leaseId = message.kind === 'claim' ? message.leaseId : message.voucher.leaseId;
    const text = 'This book relays nothing for payment.';
    link.tell({ kind: 'unpaid', leaseId, code: 'NOT_ALLOWED', message: text });
  },
  onRoom: () => undefined,
  save: () => undefined,
  follow: async () => undefined,
};

function createPaidRelay(
  context: RelayContext,
  { join: own, urls }: { readonly join: RelayJoin; readonly urls: readonly string[] },
): PaidRelay {
  const { clock, leases, logger, options, signal } = context;
  const handed = new Map<string, Handed>(options.keepers.map((url) => [url, new Map()]));
  const payers = new Map<LeaseId, { readonly link: PayingLink; isLowTold: boolean; toldBytes: number }>();
  const queues = new WeakMap<PayingLink, { last: Promise<void>; waiting: number }>();
  let waiting = 0;
  let offer: SignedRelayAsk | undefined;

  const tellUsed = (link: PayingLink, lease: PaidLease) => {
    const payer = payers.get(lease.leaseId);
    if (payer !== undefined) payer.toldBytes = lease.usedBytes;
    link.tell({
      ...{ kind: 'relayed', leaseId: lease.leaseId, usedBytes: lease.usedBytes },
      coveredUnits: lease.voucher.units[0] ?? 0n,
    });
  };

  /** The payer is to send the next voucher before this one is used up. */
  function tellIfLow(lease: PaidLease): void {
    const payer = payers.get(lease.leaseId);
    if (payer === undefined || payer.isLowTold) return;
    const { order, members } = lease.terms;
    const ahead = (members[0]?.devices ?? 0) * Math.max(1, order.prepay) * RELAY_UNIT_BYTES;
    const covered = Number(lease.voucher.units[0] ?? 0n) * RELAY_UNIT_BYTES;
    if (covered - lease.usedBytes > ahead / 2) return;
    payer.isLowTold = true;
    tellUsed(payer.link, lease);
  }

  async function obey(link: PayingLink, message: PaymentMessage): Promise<void> {
    if (message.kind === 'pay') {
      const lease = await takePayment(context, link.key, message);
      payers.set(lease.leaseId, { link, isLowTold: false, toldBytes: 0 });
      tellUsed(link, lease);
      service.onRoom();
      return;
    }
    const lease = leases.find(message.leaseId);
    if (lease === undefined || lease.peerKey !== link.key) {
      throw new LatentError('LEASE_NOT_MINE', `Lease ${message.leaseId} does not pay for this peer here.`);
    }
    link.tell({ kind: 'claimed', claim: await claimLease(context, lease) });
  }

  function hear(link: PayingLink, message: PaymentMessage): void {
    const leaseId = message.kind === 'claim' ? message.leaseId : message.voucher.leaseId;
    const refuse = (thrown: unknown) => {
      const { code, message: text } = publicError(thrown, logger).toBody();
      logger.debug({ code, peer: link.key, leaseId }, 'refused a payment');
      link.tell({ kind: 'unpaid', leaseId, code, message: text.slice(0, MAX_WORDS_CHARS) });
    };
    const queue = queues.get(link) ?? { last: Promise.resolve(), waiting: 0 };
    queues.set(link, queue);
    if (queue.waiting >= MAX_WAITING || waiting >= MAX_WAITING_IN_ALL) {
      refuse(new LatentError('BOOK_RATE_LIMITED', 'Too many payments wait to be looked at.'));
      return;
    }
    queue.waiting += 1;
    waiting += 1;
    queue.last = queue.last
      .then(() => obey(link, message))
      .catch(refuse)
      .finally(() => {
        queue.waiting -= 1;
        waiting -= 1;
      });
  }

  const service: PaidRelay = {
    hear,
    onRoom: () => undefined,
    answer: () => ({ offer: offer ?? null, join: own }),
    take: (peer, bytes) => {
      let best: Verdict = 'over';
      for (const lease of leases.ofPeer(peer)) {
        const verdict = judge(lease, bytes, nowSeconds(clock));
        if (verdict === 'relay' && leases.use(lease, bytes)) {
          tellIfLow(lease);
          return 'relay';
        }
        if (verdict !== 'over') best = 'wait';
      }
      return best;
    },
    save: () => leases.save(),
    follow: async () => {
      const [url = ''] = urls;
      try {
        offer = await signOffer(context, url);
        if (offer === undefined) logger.debug({ ...own }, 'the relay key does not belong to its operator yet');
      } catch (thrown) {
        if (!signal.aborted) logger.warn({ error: publicError(thrown, logger).message }, 'the offer is not renewed');
      }
      for (const [leaseId, { link, toldBytes }] of payers) {
        const lease = leases.find(leaseId);
        if (lease !== undefined && lease.claim === null && lease.usedBytes > toldBytes) tellUsed(link, lease);
      }
      await followLeases(context);
      for (const leaseId of payers.keys()) if (leases.find(leaseId) === undefined) payers.delete(leaseId);
      await handOnPapers(context, handed);
    },
  };
  return service;
}
