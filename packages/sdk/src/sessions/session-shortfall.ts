import { formatDollars, hourlyFromRateUp, type LeaseTerms } from '@latent/protocol';
import type { SessionOnChain } from './read-session.ts';

/** Why a session cannot open a lease. */
export interface SessionShortfall {
  readonly limit: 'time' | 'spend' | 'rate' | 'devices' | 'balance';
  /** For people, with both values. */
  readonly text: string;
}

/**
 * The first limit of a session that a lease goes beyond, as the contract would find; undefined if it may be opened.
 * @param balance base units that the renter has in the escrow
 */
export function sessionShortfall(
  session: SessionOnChain,
  balance: bigint,
  { order, members }: LeaseTerms,
): SessionShortfall | undefined {
  if (order.openBy > session.validUntil) {
    const text =
      session.validUntil === 0
        ? 'it was never granted, or was revoked'
        : `it ends at ${new Date(session.validUntil * 1000).toISOString().slice(0, 16)}Z`;
    return { limit: 'time', text };
  }
  if (session.spent + order.deposit > session.spendLimit) {
    const left = session.spendLimit > session.spent ? session.spendLimit - session.spent : 0n;
    const text = `the lease locks ${formatDollars(order.deposit)}, and ${formatDollars(left)} of its ${formatDollars(session.spendLimit)} is left to spend`;
    return { limit: 'spend', text };
  }
  const dearest = members.reduce((most, { rate }) => (rate > most ? rate : most), 0n);
  if (dearest > session.maxRate) {
    const [asked, allowed] = [dearest, session.maxRate].map((rate) => formatDollars(hourlyFromRateUp(rate)));
    return { limit: 'rate', text: `a machine asks ${asked} per device-hour, and it allows ${allowed}` };
  }
  const devices = members.reduce((sum, member) => sum + member.devices, 0);
  if (devices > session.maxDevices) {
    return { limit: 'devices', text: `the lease takes ${devices} devices, and it allows ${session.maxDevices}` };
  }
  if (order.deposit > balance) {
    const text = `the lease locks ${formatDollars(order.deposit)}, and the balance holds ${formatDollars(balance)}`;
    return { limit: 'balance', text };
  }
  return undefined;
}
