import type { Clock, Logger } from '@latent/kit';
import { hex32Schema, LatentError } from '@latent/protocol';
import { type ContractCall, toChainError } from '@latent/sdk';
import { BaseError, type Hex, keccak256, type LocalAccount, RpcRequestError } from 'viem';
import { quantitySchema } from '../endpoints/chain-shapes.ts';
import { faultText, isEndpointFault } from '../endpoints/endpoint-faults.ts';
import type { Endpoints } from '../endpoints/endpoints.ts';
import type { FeeQuote } from './fees.ts';
import type { Outbox } from './outbox.ts';
import type { Attempt, Wish } from './sender-schema.ts';

export interface SenderSettings {
  readonly confirmations: bigint;
  readonly stuckAfterMs: number;
  readonly mostReplacements: number;
  readonly mostTipWeiPerGas: bigint;
  readonly pollMs: number;
  readonly effectPatienceMs: number;
  readonly mostWeiPerFiller: bigint;
}

export interface SenderContext {
  readonly endpoints: Endpoints;
  readonly account: LocalAccount;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: SenderSettings;
  /** Of the wishes that somebody waits for, by key: whether the effect is there. */
  readonly effects: ReadonlyMap<string, () => Promise<boolean>>;
}

/**
 * What the wish may still cost. Receipts say what was paid, and are believed of a quorum; one endpoint alone might say less
 * than was paid, so the most that it can have been is taken off.
 */
export function budgetOf(
  { endpoints }: SenderContext,
  { mostWei, spentWei, riskedWei }: Pick<Wish, 'mostWei' | 'spentWei' | 'riskedWei'>,
): bigint {
  const gone = endpoints.quorum > 1 ? spentWei : riskedWei;
  return mostWei > gone ? mostWei - gone : 0n;
}

/**
 * What fees are now. The tip that endpoints suggest is bounded.
 * @throws LatentError CHAIN_UNREACHABLE, on a chain without EIP-1559 too
 */
export async function quoteFees({ endpoints, settings }: SenderContext): Promise<FeeQuote> {
  return endpoints.onOne(async (endpoint) => {
    const block = await endpoint.block('latest');
    const baseFeePerGas = block?.baseFeePerGas;
    if (baseFeePerGas === undefined) {
      throw new LatentError('MESSAGE_INVALID', `Endpoint ${endpoint.name} states no base fee (EIP-1559).`, {
        hint: 'Chains without it are not supported.',
        details: { endpoint: endpoint.name },
      });
    }
    const asked = await endpoint.request('eth_maxPriorityFeePerGas', []).catch((thrown: unknown) => {
      if (thrown instanceof RpcRequestError) return undefined;
      throw thrown;
    });
    const suggested = quantitySchema.safeParse(asked);
    // A tenth of the base fee, where nobody suggests anything.
    const tip = suggested.success ? suggested.data : baseFeePerGas / 10n + 1n;
    return { baseFeePerGas, tipPerGas: tip < settings.mostTipWeiPerGas ? tip : settings.mostTipWeiPerGas };
  });
}

/**
 * Gas of a call, on the newest block and without what is in the pool: our own transaction may be.
 * @throws LatentError CHAIN_REVERTED with the contract's error, FUNDS_TOO_LOW, CHAIN_UNREACHABLE
 */
export async function estimateGas({ endpoints, account }: SenderContext, call: ContractCall): Promise<bigint> {
  try {
    return await endpoints.public.estimateGas({ ...call, account: account.address, blockTag: 'latest' });
  } catch (thrown) {
    throw toSendError(thrown);
  }
}

/** Of the account, in wei. */
export async function readBalance({ endpoints, account }: SenderContext): Promise<bigint> {
  try {
    return await endpoints.public.getBalance({ address: account.address });
  } catch (thrown) {
    throw toSendError(thrown);
  }
}

/** Signs and stores an attempt; from then on it may be sent. @returns undefined if the nonce has been taken meanwhile */
export async function signAttempt(
  context: SenderContext,
  wish: Wish,
  { nonce, kind, gas, fees }: Pick<Attempt, 'nonce' | 'kind' | 'gas' | 'fees'>,
): Promise<Hex | undefined> {
  const { account, endpoints, outbox } = context;
  if (gas * fees.maxFeePerGas > budgetOf(context, wish)) {
    throw new LatentError('INTERNAL', `An attempt for ${wish.key} could cost more than is allowed.`);
  }
  const { to, data } = kind === 'call' ? wish.call : { to: account.address, data: '0x' as const };
  const signed = await account.signTransaction({
    ...{ type: 'eip1559', chainId: endpoints.chainId, nonce: Number(nonce), to, data, value: 0n, gas },
    ...{ maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.tipPerGas },
  });
  const hash = hex32Schema.parse(keccak256(signed));
  return outbox.sign(wish.key, { hash, nonce, kind, signed, gas, fees }) ? signed : undefined;
}

/** Sends what was signed. That nobody takes it is no failure: it is sent again later. */
export async function sendSigned({ endpoints, outbox, logger }: SenderContext, signed: Hex): Promise<void> {
  const { hash, accepted, refusals } = await endpoints.broadcast(signed);
  outbox.noteSent(hash);
  const log = accepted > 0 ? logger.debug : logger.warn;
  log({ hash, accepted, refusals }, 'transaction sent');
}

/** As sdk's `toChainError`; but what an endpoint says for itself is not taken for the contract's word. */
export function toSendError(thrown: unknown): LatentError {
  if (thrown instanceof LatentError) return thrown;
  if (thrown instanceof BaseError) {
    const own = thrown.walk((cause) => cause instanceof LatentError || cause instanceof RpcRequestError);
    if (own instanceof LatentError) return own;
    if (own instanceof RpcRequestError && isEndpointFault(own)) {
      return new LatentError('CHAIN_UNREACHABLE', `The chain does not answer: ${faultText(own)}.`, {
        hint: 'Waiting for it is safe: nothing is lost.',
        cause: thrown,
      });
    }
  }
  return toChainError(thrown);
}
