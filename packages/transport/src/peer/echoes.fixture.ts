import { type LatentError, toLatentError } from '@latent/protocol';
import { expect } from 'vitest';
import { seededRandom } from '../hostile/dice.ts';
import { openNodeLinkSocket } from '../link/node-link-socket.ts';
import type { EncryptedStream, Transport } from '../transport.ts';
import { afterTest, keyPairOf, untilTestEnds } from '../udp/raw-socket.fixture.ts';
import { createPeerTransport, type PeerTransportOptions } from './peer-transport.ts';
import { createRelayTransport, type RelayTransportOptions } from './relay-transport.ts';

/** Short, so that a path that is cut is missed soon. */
export const hastyTimes = { pathTimeoutMs: 400, quietMs: 400, resumeMs: 20_000 };

export function openPeer(byte: number, options: Partial<PeerTransportOptions> = {}): Transport {
  const transport = createPeerTransport({ keyPair: keyPairOf(byte), times: hastyTimes, ...options });
  afterTest(() => transport.close());
  return transport;
}

/** Dials through books alone. */
export function openRelayPeer(byte: number, options: Partial<RelayTransportOptions> = {}): Transport {
  const base = { keyPair: keyPairOf(byte), openSocket: openNodeLinkSocket, times: hastyTimes };
  const transport = createRelayTransport({ ...base, ...options });
  afterTest(() => transport.close());
  return transport;
}

export interface EchoPeer {
  readonly transport: Transport;
  readonly port: number;
  readonly hints: readonly string[];
  readonly streams: EncryptedStream[];
  readonly refused: LatentError[];
}

/** Sends back what it is sent, behind its own number. */
export async function openEchoPeer(byte: number, options: Partial<PeerTransportOptions> = {}): Promise<EchoPeer> {
  const refused: LatentError[] = [];
  const transport = openPeer(byte, { onRefused: ({ error }) => refused.push(error), ...options });
  const streams: EncryptedStream[] = [];
  const echo = async (stream: EncryptedStream) => {
    for await (const message of stream.messages()) await stream.send(Uint8Array.of(byte, ...message));
    await stream.end();
  };
  const listener = await transport.listen(
    (stream) => {
      streams.push(stream);
      // What breaks a stream is seen at its other end.
      echo(stream).catch(() => undefined);
    },
    { address: '127.0.0.1', port: 0 },
  );
  await listener.settled;
  return { transport, port: listener.port, hints: listener.hints, streams, refused };
}

export interface EchoOptions {
  /** Number of the peer that has to answer. */
  readonly byte: number;
  readonly seed: number;
  readonly messages?: number;
  readonly maxBytes?: number;
  /** Called before each message but the first. */
  readonly onMessage?: (number: number) => void;
}

/** Everything came back right, or why the stream ended before. Fails the test when a byte is wrong. */
export type EchoOutcome = 'all' | LatentError['code'];

export async function exchange(stream: EncryptedStream, options: EchoOptions): Promise<EchoOutcome> {
  const { byte, seed, messages = 40, maxBytes = 8_000, onMessage } = options;
  const random = seededRandom(seed);
  const made = Array.from({ length: messages }, () =>
    Uint8Array.from({ length: Math.floor(random() * maxBytes) }, () => Math.floor(random() * 256)),
  );
  const sendAll = async () => {
    for (const [number, message] of made.entries()) {
      if (number > 0) onMessage?.(number);
      await stream.send(message);
    }
    await stream.end();
  };
  try {
    const sending = sendAll();
    sending.catch(() => undefined);
    let count = 0;
    for await (const message of stream.messages()) {
      const expected = made[count] ?? expect.unreachable('more came back than was sent');
      const isRight = message[0] === byte && Buffer.compare(message.subarray(1), expected) === 0;
      if (!isRight) expect.unreachable(`message ${count} of seed ${seed} is wrong`);
      count += 1;
    }
    await sending;
    // An end is never that of a cut.
    expect(count).toBe(messages);
    return 'all';
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'AssertionError') throw thrown;
    return toLatentError(thrown).code;
  }
}

export async function exchangeWith(
  near: Transport,
  { transport }: EchoPeer,
  hints: readonly string[],
  options: EchoOptions,
): Promise<EchoOutcome> {
  try {
    const stream = await near.connect({ key: transport.key, hints }, { signal: untilTestEnds() });
    expect(stream.remoteKey).toBe(transport.key);
    return await exchange(stream, options);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'AssertionError') throw thrown;
    return toLatentError(thrown).code;
  }
}
