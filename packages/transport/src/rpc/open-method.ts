import { LatentError } from '@latent/protocol';
import type { z } from 'zod';
import { toAbortError } from '../abort.ts';
import type { PeerAddress, Transport } from '../transport.ts';
import type { Method } from './define-method.ts';
import { createChannel, type MethodChannel } from './method-channel.ts';
import { encodeJson, parseAs, replySchema } from './wire-message.ts';

export interface OpenMethodOptions {
  /** Aborting it drops the call, also after the first answer. */
  readonly signal: AbortSignal;
  /** Until the first answer is there, connecting included. */
  readonly timeoutMs: number;
  /** Of all the peer's messages together. Default: no limit, as unread messages hold the peer back. */
  readonly maxReceivedBytes?: number;
}

export interface OpenedMethod<Result> {
  readonly result: Result;
  readonly channel: MethodChannel;
}

/**
 * Calls a method on a stream of its own and keeps the stream open behind the first answer. The caller ends or destroys it.
 * @throws LatentError whatever the peer answered; PEER_UNREACHABLE, PEER_WRONG_KEY; TIMED_OUT, CANCELLED; STREAM_CLOSED;
 *   MESSAGE_INVALID for an answer that does not fit the method
 */
export async function openMethod<Params extends z.ZodType, Result extends z.ZodType>(
  transport: Transport,
  peer: PeerAddress,
  method: Method<'stream', Params, Result>,
  params: z.input<Params>,
  options: OpenMethodOptions,
): Promise<OpenedMethod<z.output<Result>>> {
  return await startCall(transport, peer, method, params, { ...options, endAfterRequest: false });
}

/** Connects, sends the request, and reads the first answer. */
export async function startCall<Params extends z.ZodType, Result extends z.ZodType>(
  transport: Transport,
  peer: PeerAddress,
  method: Method<'call' | 'stream', Params, Result>,
  params: z.input<Params>,
  options: OpenMethodOptions & { readonly endAfterRequest: boolean },
): Promise<OpenedMethod<z.output<Result>>> {
  const request = encodeJson({ method: method.name, params });
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    const text = `${method.name}: no answer within ${options.timeoutMs} ms.`;
    timeout.abort(new LatentError('TIMED_OUT', text, { details: { method: method.name, peer: peer.key } }));
  }, options.timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout.signal]);
  try {
    const stream = await transport.connect(peer, { signal });
    const drop = () => stream.destroy();
    signal.addEventListener('abort', drop);
    void stream.closed.then(() => signal.removeEventListener('abort', drop));
    try {
      const channel = createChannel(stream, { remainingBytes: options.maxReceivedBytes ?? Number.POSITIVE_INFINITY });
      await stream.send(request);
      if (options.endAfterRequest) await stream.end();
      return { result: await receiveReply(channel, method), channel };
    } catch (thrown) {
      stream.destroy();
      throw thrown;
    }
  } catch (thrown) {
    if (signal.aborted) throw toAbortError(signal, method.name);
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}

async function receiveReply<Result extends z.ZodType>(
  channel: MethodChannel,
  method: Method<'call' | 'stream', z.ZodType, Result>,
): Promise<z.output<Result>> {
  const message = await channel.receive();
  if (message === undefined)
    throw new LatentError('STREAM_CLOSED', `${method.name}: the peer ended without an answer.`);
  if (message.kind !== 'json') throw new LatentError('MESSAGE_INVALID', `${method.name}: the answer is not JSON.`);
  const reply = parseAs(replySchema, message.value, `${method.name} answer`);
  if (!reply.ok) throw LatentError.fromBody(reply.error);
  return parseAs(method.result, reply.result, `${method.name} result`);
}
