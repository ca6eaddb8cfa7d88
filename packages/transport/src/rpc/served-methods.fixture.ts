import { type LatentError, toLatentError, uintSchema } from '@latent/protocol';
import { afterEach, expect } from 'vitest';
import { z } from 'zod';
import { createKeyPair } from '../key-pair.ts';
import { createTcpTransport } from '../tcp/tcp-transport.ts';
import type { EncryptedStream, PeerAddress, Transport } from '../transport.ts';
import { defineMethod } from './define-method.ts';
import { handleCall, handleStream, type MethodHandler } from './handle-method.ts';
import type { ChannelMessage, MethodChannel } from './method-channel.ts';
import { type MethodDefect, type MethodServer, type ServeMethodsOptions, serveMethods } from './serve-methods.ts';

/** Two methods and a server of them on the loopback interface for tests; all is closed after each test. */
export const double = defineMethod({
  name: 'double',
  kind: 'call',
  params: z.object({ amount: uintSchema(96) }),
  result: z.object({ doubled: uintSchema(96) }),
});
export const echo = defineMethod({
  name: 'echo',
  kind: 'stream',
  params: z.object({ from: z.string().max(10) }),
  result: z.object({ hello: z.string() }),
});

export const handleDouble = handleCall(double, async ({ amount }) => ({ doubled: amount * 2n }));
export const handleEcho = handleStream(
  echo,
  async ({ from }) => ({
    result: { hello: from },
    run: async (channel) => {
      for await (const message of channel.messages()) {
        if (message.kind === 'json') await channel.sendJson(message.value);
        else await channel.sendBytes(message.bytes);
      }
    },
  }),
  { maxReceivedBytes: 10_000_000 },
);

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface Served {
  readonly client: Transport;
  readonly peer: PeerAddress;
  readonly methods: MethodServer;
  readonly defects: readonly MethodDefect[];
  /** The server's ends of the streams so far. */
  readonly streams: readonly EncryptedStream[];
}

export async function serve(
  handlers: readonly MethodHandler[],
  options: Partial<ServeMethodsOptions> = {},
): Promise<Served> {
  const defects: MethodDefect[] = [];
  const streams: EncryptedStream[] = [];
  const server = createTcpTransport({ keyPair: createKeyPair(new Uint8Array(32).fill(2)) });
  const client = createTcpTransport({ keyPair: createKeyPair(new Uint8Array(32).fill(1)) });
  const methods = serveMethods({ handlers, onDefect: (defect) => defects.push(defect), ...options });
  const onStream = (stream: EncryptedStream) => {
    streams.push(stream);
    methods.onStream(stream);
  };
  const listener = await server.listen(onStream, { address: '127.0.0.1', port: 0 });
  cleanups.push(async () => {
    await client.close();
    await methods.close();
    await server.close();
  });
  return { client, peer: { key: server.key, hints: listener.hints }, methods, defects, streams };
}

export function within(timeoutMs = 20_000) {
  return { signal: new AbortController().signal, timeoutMs };
}

export async function failureOf(promise: Promise<unknown>): Promise<LatentError> {
  return await promise.then(
    () => expect.unreachable('it did not fail'),
    (thrown: unknown) => toLatentError(thrown),
  );
}

export async function collect(channel: MethodChannel): Promise<ChannelMessage[]> {
  const messages: ChannelMessage[] = [];
  for await (const message of channel.messages()) messages.push(message);
  return messages;
}
