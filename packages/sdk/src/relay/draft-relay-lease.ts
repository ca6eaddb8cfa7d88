import { type LeaseTerms, RATE_SCALE, type SignedRelayAsk } from '@latent/protocol';
import { type DraftLeaseParameters, draftLease } from '../clusters/draft-lease.ts';

/** A lease runs so long, unless its budget is too small for a device over that time. Another one follows where it is needed. */
const LEASE_SECONDS = 3_600;
const LEAST_SECONDS = 60;

/**
 * The terms of a lease that relays for at most `budget` base units: as many devices (MiB a second) as the budget keeps for an hour. At
 * any moment what may be relayed in all is devices × (seconds since the opening + prepay), and what was not used is not lost.
 * @returns undefined where the budget is too small for a minute
 */
export function draftRelayLease(
  from: Omit<DraftLeaseParameters, 'asks' | 'devicesPerMachine' | 'seconds'> & {
    readonly offer: SignedRelayAsk;
    readonly budget: bigint;
    /** That who pays may take at once; those of the ask unless given. */
    readonly mostDevices?: number | undefined;
  },
): LeaseTerms | undefined {
  const { offer, budget, mostDevices, ...rest } = from;
  const { ask } = offer;
  const forSale = BigInt(Math.min(ask.devices, mostDevices ?? ask.devices));
  if (ask.rate === 0n) return undefined;
  const units = (budget * RATE_SCALE) / ask.rate;
  const longest = BigInt(Math.min(LEASE_SECONDS, ask.maxSeconds));
  const wanted = units / longest;
  const devices = wanted < 1n ? 1n : wanted > forSale ? forSale : wanted;
  const affordable = units / devices;
  const seconds = Number(affordable > longest ? longest : affordable);
  if (seconds < LEAST_SECONDS) return undefined;
  return draftLease({ ...rest, asks: [offer], devicesPerMachine: Number(devices), seconds });
}
