import type { PeerKey } from '@latent/protocol';
import type { z } from 'zod';
import type { Method } from './define-method.ts';
import type { MethodChannel } from './method-channel.ts';
import { parseAs } from './wire-message.ts';

const DEFAULT_RECEIVED_BYTES = 1024 * 1024;

/** What a handler knows about its caller. */
export interface CallContext {
  /** The key the caller proved. */
  readonly remoteKey: PeerKey;
  /** Aborts when the caller is gone or the server closes; also, harmlessly, once the call is over. */
  readonly signal: AbortSignal;
}

/** What a stream's handler returns: the first answer, and what happens after it. */
export interface StreamReply<Result> {
  readonly result: Result;
  /**
   * Runs once the answer is sent. Our side ends when it resolves; if it throws, the caller's `receive` throws that error.
   * What the caller still sends after it is read and thrown away.
   */
  readonly run: (channel: MethodChannel) => Promise<void>;
}

/** A method with the function that carries it out. Made by {@link handleCall} and {@link handleStream}. */
export interface MethodHandler {
  readonly name: string;
  /** What the caller may send after its request, all messages together. */
  readonly maxReceivedBytes: number;
  /** @throws LatentError MESSAGE_INVALID when the params do not fit */
  readonly start: (params: unknown, context: CallContext) => Promise<StreamReply<unknown>>;
}

/** Carries out a method with one result. */
export function handleCall<Params extends z.ZodType, Result extends z.ZodType>(
  method: Method<'call', Params, Result>,
  handler: (params: z.output<Params>, context: CallContext) => Promise<z.input<Result>>,
): MethodHandler {
  return {
    name: method.name,
    maxReceivedBytes: 0,
    start: async (params, context) => {
      const result = await handler(parseAs(method.params, params, 'params'), context);
      return { result, run: async () => {} };
    },
  };
}

/**
 * Carries out a method that goes on after its first answer.
 * @param options.maxReceivedBytes what the caller may send after its request; default 1 MiB
 */
export function handleStream<Params extends z.ZodType, Result extends z.ZodType>(
  method: Method<'stream', Params, Result>,
  handler: (params: z.output<Params>, context: CallContext) => Promise<StreamReply<z.input<Result>>>,
  options: { readonly maxReceivedBytes?: number } = {},
): MethodHandler {
  return {
    name: method.name,
    maxReceivedBytes: options.maxReceivedBytes ?? DEFAULT_RECEIVED_BYTES,
    start: async (params, context) => await handler(parseAs(method.params, params, 'params'), context),
  };
}
