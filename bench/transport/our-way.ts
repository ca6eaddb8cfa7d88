import { randomBytes } from 'node:crypto';
import { LatentError } from '@latent/protocol';
import {
  createKeyPair,
  createPeerTransport,
  createRelayTransport,
  createTcpTransport,
  type EncryptedStream,
  type KeyPair,
  openNodeLinkSocket,
  type PeerAddress,
  type Transport,
} from '@latent/transport';
import type { Channel, WayDialler, WayListener } from './channel.ts';
import { callMessage, serveChannel } from './serve-channel.ts';

export type OurWay = 'direct' | 'relayed' | 'tcp';

/** More than a benchmark opens at once, all from one address. */
const limits = { maxConnections: 10_000, maxConnectionsPerAddress: 10_000, maxHandshakes: 10_000 };
/** Longer than a benchmark: connections that are counted must not be given up meanwhile. */
const IDLE_MS = 3_600_000;

export interface OurListenerSetup {
  readonly way: OurWay;
  /** 32 bytes of hex, of the listener's key. */
  readonly seed: string;
  /** URL of the book, for what is relayed. */
  readonly book: string;
}

export async function listenOurWay({ way, seed, book }: OurListenerSetup): Promise<WayListener> {
  const keyPair = createKeyPair(Buffer.from(seed, 'hex'));
  const transport =
    way === 'tcp'
      ? createTcpTransport({ keyPair, limits })
      : createPeerTransport({ keyPair, limits, books: way === 'relayed' ? [book] : [] });
  const { hints } = await transport.listen((stream) => void serveChannel(toChannel(stream)), {
    address: '127.0.0.1',
    port: 0,
  });
  const wanted = { direct: 'udp:', relayed: 'book+', tcp: 'tcp:' }[way];
  const at = hints.find((hint) => hint.startsWith(wanted));
  if (at === undefined) throw new LatentError('INTERNAL', `No hint of ${wanted} among ${hints.join(' ')}.`);
  return { at, close: () => transport.close() };
}

export interface OurDiallerSetup {
  readonly way: OurWay;
  readonly seed: string;
  /** The hint to dial. */
  readonly at: string;
}

export function dialOurWay({ way, seed, at }: OurDiallerSetup): WayDialler {
  const peer = { key: createKeyPair(Buffer.from(seed, 'hex')).key, hints: [at] };
  const standing = createTransport(way, createKeyPair(randomBytes(32)));
  const open = async (signal: AbortSignal) => await openStream(standing, { way, peer, signal });
  return {
    connect: async (signal) => {
      const transport = createTransport(way, createKeyPair(randomBytes(32)));
      try {
        const channel = toChannel(await openStream(transport, { way, peer, signal }));
        return { ...channel, close: () => void transport.close() };
      } catch (thrown) {
        await transport.close();
        throw thrown;
      }
    },
    open: async (signal) => toChannel(await open(signal)),
    call: async (message, signal) => {
      const stream = await open(signal);
      await stream.send(callMessage(message.byteLength));
      await stream.end();
      const answers: Uint8Array[] = [];
      for await (const answer of stream.messages()) answers.push(answer);
      const [answer] = answers;
      if (answer === undefined) throw new LatentError('INTERNAL', 'A call was not answered.');
      return answer;
    },
    close: () => standing.close(),
  };
}

function createTransport(way: OurWay, keyPair: KeyPair): Transport {
  switch (way) {
    case 'tcp':
      return createTcpTransport({ keyPair });
    case 'direct':
      return createPeerTransport({ keyPair, idleMs: IDLE_MS });
    case 'relayed':
      // On one machine a hole can always be punched: what is to be relayed must not try.
      return createRelayTransport({ keyPair, idleMs: IDLE_MS, openSocket: openNodeLinkSocket });
    default:
      return way satisfies never;
  }
}

interface OpenStream {
  readonly way: OurWay;
  readonly peer: PeerAddress;
  readonly signal: AbortSignal;
}

async function openStream(transport: Transport, { way, peer, signal }: OpenStream): Promise<EncryptedStream> {
  const stream = await transport.connect(peer, { signal });
  const kind = way === 'relayed' ? 'relayed' : 'direct';
  if (stream.route?.kind === kind) return stream;
  stream.destroy();
  throw new LatentError('INTERNAL', `A stream that should be ${kind} takes ${stream.route?.through ?? 'no way'}.`);
}

function toChannel(stream: EncryptedStream): Channel {
  const messages = stream.messages()[Symbol.asyncIterator]();
  return {
    send: (message) => stream.send(message),
    receive: async () => {
      const next = await messages.next();
      return next.done === true ? undefined : next.value;
    },
    close: () => void stream.end().catch(() => undefined),
  };
}
