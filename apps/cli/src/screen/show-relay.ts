import { formatDollars, RELAY_UNIT_BYTES } from '@latent/protocol';
import { promisedUp, type RelayLease } from '@latent/sdk';
import type { ClusterRelay } from '../home/relay-store.ts';
import type { RelayPrice } from '../relay/find-relay-offers.ts';

/** What relaying may cost, before it is allowed to. */
export function showRelayPrices(prices: readonly RelayPrice[], budget: bigint, priceCap: bigint): readonly string[] {
  const lines = prices.map(({ book, perGib, fault }) => {
    if (fault !== undefined) return `  ${book}: not known (${fault})`;
    if (perGib === undefined) return `  ${book}: relays nothing beyond what is free`;
    const tooDear = perGib > priceCap ? `, more than the ${formatDollars(priceCap)} allowed: not paid` : '';
    return `  ${book}: ${formatDollars(perGib)} per GiB${tooDear}`;
  });
  const head = `Relaying beyond what books relay for free, should it be needed, costs at most ${formatDollars(budget)}:`;
  return [head, ...(lines.length === 0 ? ['  no machine is reached through a book'] : lines)];
}

/** What relaying has cost so far, on one line; none where it was not needed. */
export function showRelayed(relay: Pick<ClusterRelay, 'budget' | 'leases'>): readonly string[] {
  const budget = relay.budget();
  const leases = relay.leases();
  if (budget === 0n && leases.length === 0) return [];
  const cost = leases.reduce((sum, lease) => sum + promisedUp(lease), 0n);
  const bytes = leases.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  const amount = `${(bytes / RELAY_UNIT_BYTES).toFixed(0)} MiB relayed beyond what is free`;
  return [`relay: ${amount}, for up to ${formatDollars(cost)} of ${formatDollars(budget)}`];
}

/** Each lease with a book, for the bill. */
export function showRelayLeases(leases: readonly RelayLease[]): readonly string[] {
  const rows = leases
    .filter(({ phase }) => phase !== 'void')
    .map((lease) => {
      const cost =
        lease.charged === null
          ? `${lease.phase}, up to ${formatDollars(promisedUp(lease))}`
          : formatDollars(lease.charged);
      return `  ${lease.book}: ${cost}; in full: latent bill ${lease.leaseId}`;
    });
  return rows.length === 0 ? [] : ['Relaying beyond what is free, by leases of its own:', ...rows];
}
