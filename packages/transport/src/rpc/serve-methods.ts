import { type ErrorBody, LatentError, type PeerKey } from '@latent/protocol';
import type { EncryptedStream } from '../transport.ts';
import type { MethodHandler } from './handle-method.ts';
import { type ByteBudget, createChannel, type MethodChannel } from './method-channel.ts';
import { MAX_PAYLOAD_BYTES, parseAs, requestSchema } from './wire-message.ts';

export interface ServeMethodsOptions {
  readonly handlers: readonly MethodHandler[];
  /** Calls of one peer at a time; more are refused with NOT_ALLOWED, to be tried later. Default 64. */
  readonly maxCallsPerPeer?: number;
  /** For the request to arrive on a new stream, and for a refused caller to close. Default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Hears of every error that is a defect of ours: the caller is only told that the call failed. */
  readonly onDefect: (defect: MethodDefect) => void;
}

export interface MethodDefect {
  readonly method: string;
  readonly remoteKey: PeerKey;
  readonly error: unknown;
}

export interface MethodServer {
  /** Serves one stream, and owns it. Give it to `transport.listen`. */
  readonly onStream: (stream: EncryptedStream) => void;
  /** Drops all calls. Resolves when their handlers have returned. */
  close(): Promise<void>;
}

/** Serves methods to whoever opens a stream: one call for each stream. */
export function serveMethods(options: ServeMethodsOptions): MethodServer {
  const { maxCallsPerPeer = 64, requestTimeoutMs = 10_000, onDefect } = options;
  const handlers = new Map(options.handlers.map((handler) => [handler.name, handler]));
  const callsOf = new Map<PeerKey, number>();
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  async function serve(stream: EncryptedStream): Promise<void> {
    const { remoteKey } = stream;
    const calls = callsOf.get(remoteKey) ?? 0;
    callsOf.set(remoteKey, calls + 1);
    const drop = () => stream.destroy();
    closing.signal.addEventListener('abort', drop);
    if (closing.signal.aborted) drop();
    const budget: ByteBudget = { remainingBytes: MAX_PAYLOAD_BYTES + 1 };
    const channel = createChannel(stream, budget);
    try {
      if (calls >= maxCallsPerPeer) await answerError(channel, tooManyCalls(maxCallsPerPeer));
      const served =
        calls < maxCallsPerPeer && (await serveCall(channel, { budget, handlers, requestTimeoutMs, onDefect }));
      // A caller that was served may lag behind in reading what it got: it may take its time.
      if (served) await discardRest(channel);
      else await within(requestTimeoutMs, channel, discardRest(channel));
    } finally {
      stream.destroy();
      closing.signal.removeEventListener('abort', drop);
      const left = (callsOf.get(remoteKey) ?? 0) - 1;
      if (left > 0) callsOf.set(remoteKey, left);
      else callsOf.delete(remoteKey);
    }
  }

  return {
    onStream: (stream) => {
      const call = serve(stream).finally(() => running.delete(call));
      running.add(call);
    },
    close: async () => {
      closing.abort();
      await Promise.all(running);
    },
  };
}

interface ServeCallOptions {
  readonly budget: ByteBudget;
  readonly handlers: ReadonlyMap<string, MethodHandler>;
  readonly requestTimeoutMs: number;
  readonly onDefect: (defect: MethodDefect) => void;
}

/** Returns whether the call ended without an error. Never rejects for what the caller or the handler did. */
async function serveCall(channel: MethodChannel, options: ServeCallOptions): Promise<boolean> {
  const { remoteKey } = channel;
  const gone = new AbortController();
  void channel.closed.then(() => gone.abort());
  let method = '';
  let answered = false;
  try {
    const request = await within(options.requestTimeoutMs, channel, receiveRequest(channel));
    method = request.method;
    const handler = options.handlers.get(method);
    if (handler === undefined) {
      throw new LatentError('METHOD_UNKNOWN', 'There is no such method.', { details: { method } });
    }
    options.budget.remainingBytes += handler.maxReceivedBytes;
    const reply = await handler.start(request.params, { remoteKey, signal: gone.signal });
    await channel.sendJson({ ok: true, result: reply.result });
    answered = true;
    await reply.run(channel);
    await channel.end();
    return true;
  } catch (thrown) {
    const told = toCallerError(thrown);
    // A handler that was stopped because its caller went away has no defect.
    if (told === undefined && !gone.signal.aborted) options.onDefect({ method, remoteKey, error: thrown });
    const body = told ?? new LatentError('INTERNAL', 'The call failed on the side of the peer.').toBody();
    if (answered) await failChannel(channel, LatentError.fromBody(body));
    else await answerError(channel, body);
    return false;
  }
}

async function receiveRequest(channel: MethodChannel): Promise<{ method: string; params?: unknown }> {
  const message = await channel.receive();
  if (message?.kind !== 'json') throw new LatentError('MESSAGE_INVALID', 'A call begins with a JSON message.');
  return parseAs(requestSchema, message.value, 'request');
}

/** What a caller is told of an error: undefined for a defect, whose text may hold internals. */
function toCallerError(thrown: unknown): ErrorBody | undefined {
  if (!(thrown instanceof LatentError) || thrown.code === 'INTERNAL') return undefined;
  return thrown.toBody();
}

function tooManyCalls(maxCallsPerPeer: number): ErrorBody {
  return new LatentError('NOT_ALLOWED', `More than ${maxCallsPerPeer} calls at a time.`, { retry: 'later' }).toBody();
}

async function answerError(channel: MethodChannel, error: ErrorBody): Promise<void> {
  await unlessGone(channel, async () => {
    await channel.sendJson({ ok: false, error });
    await channel.end();
  });
}

async function failChannel(channel: MethodChannel, error: LatentError): Promise<void> {
  await unlessGone(channel, () => channel.fail(error));
}

/** Nobody is left to be told when the caller is gone. */
async function unlessGone(channel: MethodChannel, tell: () => Promise<void>): Promise<void> {
  try {
    await tell();
  } catch {
    channel.destroy();
  }
}

/** Reads on to the caller's end, so that the connection closes in good order. What goes wrong now concerns nobody. */
async function discardRest(channel: MethodChannel): Promise<void> {
  try {
    while ((await channel.receive()) !== undefined);
  } catch {
    channel.destroy();
  }
  await channel.closed;
}

/** Destroys the channel, and with it whatever waits on it, if the work takes longer. */
async function within<Result>(timeoutMs: number, channel: MethodChannel, work: Promise<Result>): Promise<Result> {
  const timer = setTimeout(() => channel.destroy(), timeoutMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
