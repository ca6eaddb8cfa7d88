import type { PeerKey } from '@latent/protocol';
import { decodePathMessage, encodeAttach, type PathMessage } from '../connection/path-message.ts';
import { hexOfBytes } from '../hex.ts';
import { type KeyPair, randomBytes } from '../key-pair.ts';
import { createQueue } from '../link/hostile-book.fixture.ts';
import type { Path } from '../paths/path.ts';
import { knock } from '../udp/knock.ts';
import { afterTest, hintOf, openPort, untilTestEnds } from '../udp/raw-socket.fixture.ts';
import type { UdpAddress } from '../udp/udp-address.ts';

/** A peer with a key and a path, which says on it whatever a test wants. */
export interface RawPeer {
  readonly path: Path;
  /** What the other side says. */
  next(): Promise<PathMessage>;
  send(message: Uint8Array): void;
  /** Bytes of the connection, as many messages as it takes. */
  sendData(bytes: Uint8Array): void;
  readonly ended: Promise<void>;
}

export interface RawPeerOptions {
  readonly keyPair: KeyPair;
  /** Where it knocks from. */
  readonly host?: string;
}

/** Knocks at an address, and proves a key. Says nothing by itself. */
export async function openRawPeer(to: UdpAddress, key: PeerKey, options: RawPeerOptions): Promise<RawPeer> {
  const port = openPort({ address: options.host ?? '127.0.0.1' });
  const path = await knock(port, hintOf(to), key, { keyPair: options.keyPair, signal: untilTestEnds() });
  afterTest(async () => path.destroy());
  const messages = createQueue<PathMessage>();
  const ended = Promise.withResolvers<void>();
  path.start({
    // Its bytes are overwritten.
    onMessage: (bytes) => messages.put(decodePathMessage(Uint8Array.from(bytes))),
    onUnordered: () => undefined,
    onDrain: () => undefined,
    onEnded: () => ended.resolve(),
  });
  return {
    path,
    next: messages.take,
    send: (message) => void path.sendMessage(message),
    sendData: (bytes) => {
      for (let at = 0; at < bytes.byteLength; at += 60_000) path.send(0, [bytes.subarray(at, at + 60_000)]);
    },
    ended: ended.promise,
  };
}

/** Makes a new connection of the path. */
export async function attachRawPeer(peer: RawPeer): Promise<void> {
  const id = hexOfBytes(randomBytes(16));
  peer.send(encodeAttach({ id, generation: 1, isNew: true, received: 0 }));
  const answer = await peer.next();
  if (answer.kind !== 'attached') throw new Error(`not attached but ${JSON.stringify(answer)}`);
}

export interface MuxFrame {
  /** 0 data, 1 window, 2 ping, 3 farewell. */
  readonly type: number;
  /** Bits: 1 begin, 2 acknowledge, 4 end, 8 reset. */
  readonly flags?: number;
  readonly streamId?: number;
  readonly length?: number;
  readonly payload?: Uint8Array;
}

/** A frame of yamux, as anybody can make one. Its length is that of the payload, unless another one is claimed. */
export function muxFrame({ type, flags = 0, streamId = 0, payload = new Uint8Array(0), length }: MuxFrame): Uint8Array {
  const bytes = Buffer.alloc(12 + payload.byteLength);
  bytes[1] = type;
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt32BE(streamId, 4);
  bytes.writeUInt32BE(length ?? payload.byteLength, 8);
  bytes.set(payload, 12);
  return bytes;
}
