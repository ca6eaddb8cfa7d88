import { type AskId, LatentError, type SignedHold, signHold } from '@latent/protocol';
import type { Address } from 'viem';
import { nowSeconds } from '../agent-context.ts';
import { freeDevices, type LeaseDesk } from '../leases/lease-desk.ts';

/**
 * Promises a renter to keep devices free. A second call of the same renter renews the hold; it never holds twice.
 * @throws LatentError HOLD_REFUSED
 */
export async function placeHold(
  desk: LeaseDesk,
  wanted: { readonly ask: AskId; readonly renter: Address; readonly devices: number },
): Promise<SignedHold> {
  const { context, asks } = desk;
  const now = nowSeconds(context.clock);
  const heldUntil = now + context.options.holdSeconds;
  const signed = asks.find(wanted.ask);
  if (signed === undefined || signed.ask.validUntil <= heldUntil) {
    throw new LatentError('HOLD_REFUSED', `Ask ${wanted.ask} is not, or not long enough, one of this agent's.`, {
      details: { ask: wanted.ask },
      hint: 'Ask the books again.',
    });
  }
  const own = context.holds.current(now).find((hold) => hold.ask === wanted.ask && hold.renter === wanted.renter);
  const free = freeDevices(desk) + (own?.devices ?? 0);
  if (wanted.devices > free) {
    throw new LatentError(
      'HOLD_REFUSED',
      `${wanted.devices} devices are wanted; ${free} of ${signed.ask.devices} are free.`,
      {
        details: { ask: wanted.ask, free },
      },
    );
  }
  const hold = { ...wanted, heldUntil };
  context.holds.save(hold);
  desk.onFreeChanged();
  return signHold(context.identity.agent, context.chain.domain, hold);
}
