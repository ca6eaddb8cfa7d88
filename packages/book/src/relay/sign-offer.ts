import { RELAY_UNIT_BYTES, relayRateDown, type SignedRelayAsk, signRelayAsk } from '@latent/protocol';
import { nowSeconds } from '../book-context.ts';
import type { RelayContext } from './relay-context.ts';

const WEEK_SECONDS = 7 * 86_400;
/** The most that the book takes of the fee on what it is paid. */
const MAX_FEE_BPS = 50;

/**
 * The relay's ask of this week, valid for one more. It is the same one however often the book starts: the escrow counts the devices of
 * an ask, so that the speed that is for sale is sold once.
 * @returns undefined while the relay's key does not belong to its operator on chain
 * @throws LatentError CHAIN_UNREACHABLE, CHAIN_WRONG
 */
export async function signOffer(context: RelayContext, bookUrl: string): Promise<SignedRelayAsk | undefined> {
  const { account, clock, domain, price, registry, signal } = context;
  const agent = await registry.agentOf(account.address, signal);
  if (agent?.operator !== price.operator) return undefined;
  const week = Math.floor(nowSeconds(clock) / WEEK_SECONDS);
  return signRelayAsk(
    account,
    domain,
    {
      ...{ operator: price.operator, agentKey: account.address, devices: price.mibPerSecond },
      ...{ rate: relayRateDown(price.pricePerGib), maxSeconds: price.maxSeconds, closeWindow: price.closeWindow },
      ...{ prepay: price.prepay, maxFeeBps: MAX_FEE_BPS, epoch: agent.epoch, salt: BigInt(week) },
      validUntil: (week + 2) * WEEK_SECONDS,
    },
    { book: bookUrl, unitBytes: RELAY_UNIT_BYTES },
  );
}
