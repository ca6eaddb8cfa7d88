import { LatentError } from '@latent/protocol';
import { feeCeilingDown, firstFees } from './fees.ts';
import { pushAttempt } from './push-attempt.ts';
import { estimateGas, quoteFees, type SenderContext, sendSigned, signAttempt } from './sender-context.ts';
import { settleNonce } from './settle-nonce.ts';

/** Nonces that are filled in one go at most. */
const MAX_FILLERS = 16n;

/**
 * Looks once at every nonce that is not settled, the lowest first: whoever waits for it or not, all behind it depend on it.
 * @returns what is wrong and cannot be helped here; undefined if nothing
 * @throws LatentError CHAIN_UNREACHABLE, CHAIN_DISAGREES
 */
export async function tendNonces(context: SenderContext): Promise<LatentError | undefined> {
  const { endpoints, account, outbox } = context;
  const wishes = outbox.unsettled();
  const lowest = wishes[0]?.nonce;
  if (lowest === undefined) return undefined;
  const head = await endpoints.onOne((endpoint) => endpoint.block('latest'));
  if (head === undefined) throw new LatentError('CHAIN_UNREACHABLE', 'The chain has no newest block.');
  const used = await endpoints.transactionCount(account.address, 'latest');
  const failures: unknown[] = [];
  for (const [index, wish] of wishes.entries()) {
    try {
      if (wish.nonce !== undefined && used > wish.nonce) await settleNonce(context, wish, head);
      else await pushAttempt(context, wish, { isBlocking: index < wishes.length - 1 });
    } catch (thrown) {
      // What is wrong with one does not keep the others from being looked after.
      failures.push(thrown);
    }
  }
  if (failures.length > 0) throw failures[0];
  return used < lowest ? fillGap(context, { from: used, to: lowest }) : undefined;
}

interface Gap {
  readonly from: bigint;
  /** Not included: the lowest nonce that is known here. */
  readonly to: bigint;
}

/** Transactions below ours are not in the chain, and were never ours or are not known any more. */
async function fillGap(context: SenderContext, gap: Gap): Promise<LatentError | undefined> {
  const { account, outbox, clock, logger, settings } = context;
  const [oldest] = outbox.unsettled();
  const since = oldest === undefined ? undefined : outbox.attempts(oldest).at(-1)?.signedAtMs;
  // It may just be in the pool.
  if (since === undefined || clock.nowMs() - since < settings.stuckAfterMs) return undefined;
  const size = gap.to - gap.from;
  const words = `Transactions ${gap.from} to ${gap.to - 1n} of ${account.address} were never mined, and all later ones wait.`;
  if (settings.mostWeiPerFiller === 0n || size > MAX_FILLERS) {
    logger.error({ from: gap.from, to: gap.to }, 'nonces of others are missing: everything behind them waits');
    return new LatentError('TIMED_OUT', words, {
      hint: 'Send them from where they were signed, or allow fillers.',
      details: { from: gap.from, to: gap.to },
    });
  }
  const gas = await estimateGas(context, { to: account.address, data: '0x' });
  const fees = firstFees(await quoteFees(context), feeCeilingDown(settings.mostWeiPerFiller, gas));
  for (let nonce = gap.from; nonce < gap.to; nonce += 1n) {
    const key = `filler ${nonce} ${clock.nowMs()}`;
    const wish = outbox.begin(key, { to: account.address, data: '0x' }, settings.mostWeiPerFiller);
    const signed = await signAttempt(context, wish, { nonce, kind: 'cancel', gas, fees });
    // Nobody waits for it: only its nonce counts.
    outbox.finish(key, 'us');
    if (signed !== undefined) await sendSigned(context, signed);
    logger.warn({ nonce }, 'filled a nonce that was lost');
  }
  return undefined;
}
