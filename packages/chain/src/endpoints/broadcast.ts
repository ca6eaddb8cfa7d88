import { hex32Schema, LatentError } from '@latent/protocol';
import { type Hex, keccak256, RpcRequestError } from 'viem';
import type { TryAt } from './attempt-endpoint.ts';
import type { Broadcast, Endpoint } from './endpoints.ts';

const HAD_IT = /already known|known transaction|already imported|already exists/i;

/** Sends a signed transaction to all endpoints at once, so that one that loses it does not matter. */
export async function broadcastTo(endpoints: readonly Endpoint[], tryAt: TryAt, signed: Hex): Promise<Broadcast> {
  const hash = hex32Schema.parse(keccak256(signed));
  const sent = await Promise.all(endpoints.map((endpoint, index) => sendTo(endpoint, index, tryAt, { signed, hash })));
  const refusals = sent.flatMap((outcome) => (outcome === undefined ? [] : [outcome]));
  if (refusals.length === endpoints.length && refusals.every(({ silent }) => silent)) {
    const reasons = refusals.map(({ message }) => message);
    throw new LatentError('CHAIN_UNREACHABLE', `No endpoint took the transaction: ${reasons.join(' ')}`, {
      hint: 'It is kept, and sent again.',
      details: { hash, reasons },
    });
  }
  return {
    hash,
    accepted: endpoints.length - refusals.length,
    refusals: refusals.map(({ endpoint, message }) => ({ endpoint, message })),
  };
}

interface Refusal {
  readonly endpoint: string;
  readonly message: string;
  /** It did not answer at all. */
  readonly silent: boolean;
}

/** undefined: it was taken, or was there already. */
async function sendTo(
  { name }: Endpoint,
  index: number,
  tryAt: TryAt,
  { signed, hash }: { readonly signed: Hex; readonly hash: Hex },
): Promise<Refusal | undefined> {
  try {
    const said = await tryAt(index, (endpoint) => endpoint.request('eth_sendRawTransaction', [signed]));
    if (said === hash) return undefined;
    return { endpoint: name, message: 'it says that it took another transaction', silent: false };
  } catch (thrown) {
    if (thrown instanceof RpcRequestError) {
      return HAD_IT.test(thrown.details) ? undefined : { endpoint: name, message: thrown.details, silent: false };
    }
    if (thrown instanceof LatentError) return { endpoint: name, message: thrown.message, silent: true };
    throw thrown;
  }
}
