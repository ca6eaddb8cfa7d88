import { LatentError } from '@latent/protocol';
import { isAddressEqual } from 'viem';
import type { BlockHeader, Receipt } from '../endpoints/chain-shapes.ts';
import type { SenderContext } from './sender-context.ts';
import type { Attempt, Wish } from './sender-schema.ts';

/**
 * The chain says that the wish's nonce is used: finds out by what, and settles it once that lies deep enough. An attempt that
 * too few state, or that endpoints contradict each other about, is decided by another one: only one of them can be mined.
 * @throws LatentError CHAIN_DISAGREES, CHAIN_UNREACHABLE
 */
export async function settleNonce(context: SenderContext, wish: Wish, head: BlockHeader): Promise<void> {
  const { outbox, endpoints, logger, settings } = context;
  const doubts: LatentError[] = [];
  for (const attempt of outbox.attempts(wish)) {
    const receipt = await endpoints.agreedReceipt(attempt.hash).catch((thrown: unknown) => {
      if (!isDoubt(thrown)) throw thrown;
      doubts.push(thrown);
      return undefined;
    });
    if (receipt === undefined) continue;
    checkReceipt(context, wish, { attempt, receipt });
    if (wish.minedHash !== attempt.hash) {
      outbox.noteMined(wish.key, attempt.hash);
      logger.info({ key: wish.key, hash: attempt.hash, block: receipt.blockNumber }, 'transaction mined');
    }
    if (head.number - receipt.blockNumber < settings.confirmations) return;
    settleMined(context, wish, { attempt, receipt });
    return;
  }
  // Not by somebody else, as long as anybody says that it was one of ours: it would be paid again.
  if (doubts[0] !== undefined) throw doubts[0];
  if (wish.minedHash !== undefined) outbox.noteMined(wish.key, undefined);
  await settleForeign(context, wish, head);
}

/** Some endpoint states a receipt, but it is not believed: not that nobody answers. */
function isDoubt(thrown: unknown): thrown is LatentError {
  if (!(thrown instanceof LatentError)) return false;
  return thrown.code === 'CHAIN_DISAGREES' || Number(thrown.details['agreeing'] ?? 0) > 0;
}

interface Mined {
  readonly attempt: Attempt;
  readonly receipt: Receipt;
}

function checkReceipt({ account }: SenderContext, { call }: Wish, { attempt, receipt }: Mined): void {
  const to = attempt.kind === 'call' ? call.to : account.address;
  const isOurs = isAddressEqual(receipt.from, account.address) && receipt.to !== null && isAddressEqual(receipt.to, to);
  if (isOurs) return;
  throw new LatentError(
    'CHAIN_DISAGREES',
    `The receipt of ${attempt.hash} is of a call from ${receipt.from} to ${receipt.to}, not to ${to}.`,
    { hint: 'It is not believed. If it lasts, use other endpoints.', details: { hash: attempt.hash } },
  );
}

function settleMined({ outbox, logger }: SenderContext, wish: Wish, { attempt, receipt }: Mined): void {
  const { hash, kind, gas, fees } = attempt;
  const { status, gasUsed, effectiveGasPrice } = receipt;
  const state = kind === 'cancel' ? 'wanted' : status === 'success' ? 'confirmed' : 'reverted';
  // Whatever the receipt says, it was not more.
  const riskedWei = gas * fees.maxFeePerGas;
  const statedWei = gasUsed * effectiveGasPrice;
  outbox.settle(wish.key, { state, hash, spentWei: statedWei < riskedWei ? statedWei : riskedWei, riskedWei });
  logger.info({ key: wish.key, hash, status, kind }, 'transaction confirmed');
}

/** None of ours, as far as a quorum knows. It is believed only as deep as a receipt would be. */
async function settleForeign(context: SenderContext, wish: Wish, head: BlockHeader): Promise<void> {
  const { outbox, endpoints, account, logger, settings } = context;
  const { key, nonce } = wish;
  const deep = head.number - settings.confirmations;
  if (nonce === undefined || deep < 0n) return;
  if ((await endpoints.transactionCount(account.address, deep)) <= nonce) return;
  // One endpoint alone may have lost the receipt of ours: then it counts as paid.
  const costs = outbox.attempts(wish).map(({ gas, fees }) => gas * fees.maxFeePerGas);
  const worst = costs.reduce((most, cost) => (cost > most ? cost : most), 0n);
  outbox.settle(key, {
    state: 'wanted',
    hash: undefined,
    spentWei: endpoints.quorum > 1 ? 0n : worst,
    riskedWei: worst,
  });
  logger.warn({ key, nonce }, 'a transaction that is not ours has used the nonce');
}
