import { LatentError } from '@latent/protocol';
import { feeCeilingDown, firstFees } from './fees.ts';
import type { SendOptions } from './sender.ts';
import {
  budgetOf,
  estimateGas,
  quoteFees,
  readBalance,
  type SenderContext,
  sendSigned,
  signAttempt,
} from './sender-context.ts';
import type { Wish } from './sender-schema.ts';

const GAS_MARGIN_PERCENT = 20n;

/**
 * Of a wish of which nothing is under way: looks whether it is done, simulates it, signs it, stores that, and sends it.
 * @throws LatentError CHAIN_REVERTED and FEES_TOO_HIGH, which end it; FUNDS_TOO_LOW, CHAIN_UNREACHABLE, which do not
 */
export async function prepareWish(context: SenderContext, key: string, options: SendOptions): Promise<void> {
  const { outbox, logger } = context;
  const wish = outbox.find(key);
  if (wish?.state !== 'wanted') return;
  if (await options.isDone()) {
    outbox.finish(key, 'others');
    return;
  }
  try {
    await signAndSend(context, wish, options);
  } catch (thrown) {
    if (thrown instanceof LatentError && (thrown.code === 'CHAIN_REVERTED' || thrown.code === 'FEES_TOO_HIGH')) {
      if (outbox.find(key)?.state === 'wanted') outbox.fail(key, 'refused', thrown.code, thrown.message);
      logger.info({ key, code: thrown.code, error: thrown.message }, 'not sent');
    }
    throw thrown;
  }
}

async function signAndSend(context: SenderContext, wish: Wish, options: SendOptions): Promise<void> {
  const { endpoints, account, outbox } = context;
  const estimate = await estimateGas(context, wish.call);
  const gas = options.gas ?? (estimate * (100n + (options.gasMarginPercent ?? GAS_MARGIN_PERCENT))) / 100n;
  const fees = firstFees(await quoteFees(context), feeCeilingDown(budgetOf(context, wish), gas));
  const balance = await readBalance(context);
  if (balance < gas * fees.maxFeePerGas) {
    throw new LatentError(
      'FUNDS_TOO_LOW',
      `Account ${account.address} has ${balance} wei; the transaction may cost ${gas * fees.maxFeePerGas} wei.`,
      { hint: 'Send some ether of this chain to the account.', details: { account: account.address, balance } },
    );
  }
  const used = await endpoints.transactionCount(account.address, 'latest');
  // An endpoint that lags states a count from before our last ones.
  const next = outbox.nextNonce();
  const nonce = next > used ? next : used;
  const signed = await signAttempt(context, wish, { nonce, kind: 'call', gas, fees });
  if (signed !== undefined) await sendSigned(context, signed);
}
