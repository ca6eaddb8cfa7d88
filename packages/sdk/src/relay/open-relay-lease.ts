import { formatDollars, hashOrder, LatentError, pricePerGibUp, type SignedRelayAsk } from '@latent/protocol';
import { bytesToBigInt, zeroAddress, zeroHash } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { withChain } from '../chain/with-chain.ts';
import { openLease } from '../leases/open-lease.ts';
import { readChainTime } from '../leases/read-chain-time.ts';
import { readLease } from '../leases/read-lease.ts';
import { readSession } from '../sessions/read-session.ts';
import { draftRelayLease } from './draft-relay-lease.ts';
import { readRelayOffer } from './read-relay-offer.ts';
import type { RelayDeskContext } from './relay-desk-context.ts';
import { type RelayLease, relayBudgetLeft } from './relay-lease.ts';

const SALT_BYTES = 8;
const OPENING_POLL_MS = 500;

/**
 * Opens a lease with a book for what is left of the budget. Written down before it is opened.
 * @throws LatentError RELAY_QUOTA (not allowed, too dear, used up, or not for sale; the message says which), and those of `readRelayOffer`
 * and `openLease`
 */
export async function openRelayLease(context: RelayDeskContext, book: string): Promise<RelayLease> {
  const { account, chain, clock, journal, order, randomBytes, signal } = context;
  const chainSeconds = await withChain(() => readChainTime(chain), { signal });
  const nowSeconds = Math.max(chainSeconds, Math.floor(clock.nowMs() / 1_000));
  const offer = await readRelayOffer(book, { domain: chain.domain, nowSeconds, signal });
  if (offer === undefined) throw notForSale(book);
  const budget = allowedBudget(context, book, offer);
  const meterSecret = generatePrivateKey();
  const isSession = order.session !== zeroAddress && account.address === order.session;
  const session = isSession
    ? await withChain(() => readSession(chain, order.renter, order.session), { signal })
    : undefined;
  const terms = draftRelayLease({
    ...{ domain: chain.domain, offer, budget, renter: order.renter, nowSeconds, workload: zeroHash },
    session: isSession ? order.session : undefined,
    mostDevices: session?.maxDevices,
    meterKey: privateKeyToAccount(meterSecret).address,
    salt: bytesToBigInt(randomBytes(SALT_BYTES)),
  });
  if (terms === undefined) {
    throw new LatentError(
      'RELAY_QUOTA',
      `What is left for relaying, ${formatDollars(budget)}, is too little for a lease.`,
    );
  }
  const lease: RelayLease = {
    ...{ leaseId: hashOrder(chain.domain, terms), book, terms, offer, meterSecret, phase: 'opening', openedAt: 0 },
    ...{ voucher: null, usedBytes: 0, countedBefore: journal.counted(book), charged: null },
  };
  journal.save(lease);
  const funding = isSession
    ? ({ kind: 'session', session: account } as const)
    : ({ kind: 'authorization', renter: account } as const);
  const sent = await openLease(chain, { terms, asks: [offer], funding });
  if (sent !== undefined) journal.tell({ kind: 'transaction', text: `open (relay): ${sent.hash}` });
  return awaitOpen(context, lease);
}

/** What became of a lease that was about to be opened: open, or void once nothing can open it any more. */
export async function awaitOpen(context: RelayDeskContext, lease: RelayLease): Promise<RelayLease> {
  const { chain, clock, journal, signal } = context;
  for (;;) {
    // In this order: a lease that is not open by then never will be.
    const nowSeconds = await withChain(() => readChainTime(chain), { signal });
    const { state, openedAt } = await withChain(() => readLease(chain, lease.leaseId), { signal });
    const isVoid = state === 'none' && nowSeconds > lease.terms.order.openBy;
    if (state !== 'none' || isVoid) {
      const known: RelayLease = { ...lease, phase: isVoid ? 'void' : 'open', openedAt };
      journal.save(known);
      return known;
    }
    await clock.sleep(OPENING_POLL_MS, { signal });
  }
}

function allowedBudget({ journal }: RelayDeskContext, book: string, offer: SignedRelayAsk): bigint {
  const price = pricePerGibUp(offer.ask.rate);
  const said = `${book} relays beyond what is free for ${formatDollars(price)} per GiB`;
  if (journal.budget() === 0n) {
    throw new LatentError('RELAY_QUOTA', `${said}, which was not allowed.`, {
      hint: 'Allow it with: latent launch --relay-budget 0.50',
    });
  }
  if (price > journal.priceCap()) {
    const text = `${said}, more than the ${formatDollars(journal.priceCap())} that were allowed.`;
    throw new LatentError('RELAY_QUOTA', text, { hint: 'Allow more with: latent launch --relay-price-cap' });
  }
  const left = relayBudgetLeft(journal);
  if (left > 0n) return left;
  throw new LatentError('RELAY_QUOTA', `The ${formatDollars(journal.budget())} for relaying are used up.`);
}

function notForSale(book: string): LatentError {
  return new LatentError('RELAY_QUOTA', `${book} relays nothing beyond what is free.`, {
    hint: 'Direct paths go on to be looked for; tomorrow it relays again.',
  });
}
