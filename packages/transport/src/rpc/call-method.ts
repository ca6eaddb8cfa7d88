import type { z } from 'zod';
import type { PeerAddress, Transport } from '../transport.ts';
import type { Method } from './define-method.ts';
import { startCall } from './open-method.ts';
import { MAX_PAYLOAD_BYTES } from './wire-message.ts';

export interface CallMethodOptions {
  readonly signal: AbortSignal;
  /** For all of the call, connecting included. */
  readonly timeoutMs: number;
}

/**
 * Calls a method of a peer and returns its one result.
 * @throws LatentError whatever the peer answered; PEER_UNREACHABLE, PEER_WRONG_KEY; TIMED_OUT, CANCELLED; STREAM_CLOSED
 *   (whether the peer has carried it out is unknown then); MESSAGE_INVALID for an answer that does not fit the method
 */
export async function callMethod<Params extends z.ZodType, Result extends z.ZodType>(
  transport: Transport,
  peer: PeerAddress,
  method: Method<'call', Params, Result>,
  params: z.input<Params>,
  options: CallMethodOptions,
): Promise<z.output<Result>> {
  const oneMessage = { maxReceivedBytes: MAX_PAYLOAD_BYTES + 1, endAfterRequest: true };
  const { result, channel } = await startCall(transport, peer, method, params, { ...options, ...oneMessage });
  // The peer's end follows the answer; reading on to it lets the connection close in good order.
  void channel.receive().then(
    (more) => {
      if (more !== undefined) channel.destroy();
    },
    () => channel.destroy(),
  );
  return result;
}
