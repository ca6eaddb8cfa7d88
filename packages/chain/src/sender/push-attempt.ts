import { LatentError } from '@latent/protocol';
import { feeCeilingDown, raisedFees } from './fees.ts';
import { budgetOf, estimateGas, quoteFees, type SenderContext, sendSigned, signAttempt } from './sender-context.ts';
import type { Attempt, Wish } from './sender-schema.ts';

export interface Place {
  /** Others wait behind it. */
  readonly isBlocking: boolean;
}

/** The wish's nonce is not used yet: sends again what may have been lost, and pays more where it is stuck. */
export async function pushAttempt(context: SenderContext, wish: Wish, place: Place): Promise<void> {
  const { outbox, clock, logger, settings } = context;
  const [newest] = outbox.attempts(wish);
  if (newest === undefined) return;
  const isEnded = wish.state !== 'signed' && wish.state !== 'mined';
  if (isEnded && !place.isBlocking) return;
  const hasVanished = wish.minedHash !== undefined;
  if (hasVanished) {
    outbox.noteMined(wish.key, undefined);
    logger.warn({ key: wish.key, hash: wish.minedHash }, 'a mined transaction is not in the chain any more');
  }
  const now = clock.nowMs();
  if (now - newest.signedAtMs >= settings.stuckAfterMs || (isEnded && newest.kind === 'call')) {
    await raise(context, wish, { newest, isEnded, ...place });
    return;
  }
  const isDue = newest.sentAtMs === undefined || now - newest.sentAtMs >= settings.stuckAfterMs / 3;
  if (isDue || hasVanished) await sendSigned(context, newest.signed);
}

interface Stuck extends Place {
  readonly newest: Attempt;
  /** Nobody wants it any more; only its nonce is in the way. */
  readonly isEnded: boolean;
}

async function raise(context: SenderContext, wish: Wish, stuck: Stuck): Promise<void> {
  const { outbox, logger, settings } = context;
  const { newest, isEnded, isBlocking } = stuck;
  const isCall = newest.kind === 'call' && !isEnded;
  if (isCall && (await endedMeanwhile(context, wish))) return;
  const count = outbox.attempts(wish).length - 1;
  const mayReplace = count < settings.mostReplacements * (isCall ? 1 : 2);
  if (mayReplace && (await replace(context, wish, { newest, kind: isCall ? 'call' : 'cancel' }))) return;
  // It can pay no more. An empty transaction takes less gas, so more of it: it makes way for those behind.
  if (isCall && isBlocking && (await replace(context, wish, { newest, kind: 'cancel' }))) return;
  logger.warn({ key: wish.key, hash: newest.hash, nonce: newest.nonce }, 'stuck, and it may not pay more');
  await sendSigned(context, newest.signed);
}

/** The effect may be there by others' doing, or may have become impossible: then no more is paid for it. */
async function endedMeanwhile(context: SenderContext, wish: Wish): Promise<boolean> {
  const { outbox, effects, logger } = context;
  if ((await effects.get(wish.key)?.()) === true) {
    outbox.finish(wish.key, 'others');
    logger.info({ key: wish.key }, 'done by others while ours was waiting');
    return true;
  }
  try {
    await estimateGas(context, wish.call);
    return false;
  } catch (thrown) {
    if (!(thrown instanceof LatentError) || thrown.code !== 'CHAIN_REVERTED') throw thrown;
    outbox.fail(wish.key, 'refused', thrown.code, thrown.message);
    return true;
  }
}

/** @returns whether the wish's budget and the pool's rule allowed another attempt in place of this one */
async function replace(
  context: SenderContext,
  wish: Wish,
  { newest, kind }: { readonly newest: Attempt; readonly kind: Attempt['kind'] },
): Promise<boolean> {
  const { account, logger } = context;
  const gas = kind === newest.kind ? newest.gas : await estimateGas(context, { to: account.address, data: '0x' });
  const fees = raisedFees(newest.fees, await quoteFees(context), feeCeilingDown(budgetOf(context, wish), gas));
  if (fees === undefined) return false;
  const signed = await signAttempt(context, wish, { nonce: newest.nonce, kind, gas, fees });
  if (signed === undefined) return false;
  const { maxFeePerGas } = fees;
  logger.info({ key: wish.key, nonce: newest.nonce, kind, maxFeePerGas }, 'stuck: paying more');
  await sendSigned(context, signed);
  return true;
}
