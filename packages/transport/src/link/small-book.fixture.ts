import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  type BookLinkMessage,
  decodeDiscoveryQuestion,
  decodeRelayFrame,
  encodeDiscoveryAnswer,
  FIRST_BOOK_CHANNEL,
  type PeerKey,
  peerLinkMessageSchema,
  writeRelayChannel,
} from '@latent/protocol';
import { type WebSocket, WebSocketServer } from 'ws';

/** One side of an introduction, at one of the two links. */
interface End {
  readonly link: WebSocket;
  readonly channel: number;
  other: End | undefined;
}

/** What becomes of a relayed frame: the frames to pass on instead of it. */
export type Tamper = (frame: Buffer) => readonly Buffer[];

/**
 * A book's part in a transport, without limits, proofs or anything else of a book, on real sockets: the real one is in packages/book,
 * which this package must not know. Frames can be tampered with, links cut.
 */
export interface SmallBook extends AsyncDisposable {
  readonly url: string;
  /** Relayed since the beginning, both ways. */
  readonly relayedBytes: number;
  readonly introductions: number;
  tamper: Tamper;
  /** Breaks all links; they may come back. */
  cutLinks(): void;
  /** No introduction gets an answer of the other side's addresses. */
  hidesAddresses: boolean;
}

export async function openSmallBook(port = 0): Promise<SmallBook> {
  const accepting = new Map<PeerKey, WebSocket>();
  const ends = new Map<WebSocket, Map<number, End>>();
  const discovery = [await openDiscovery(), await openDiscovery()] as const;
  const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 1 << 20, perMessageDeflate: false });
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  let relayedBytes = 0;
  let introductions = 0;
  let lastChannel = FIRST_BOOK_CHANNEL;
  const book = { tamper: ((frame) => [frame]) as Tamper, hidesAddresses: false };
  const tell = (link: WebSocket, message: BookLinkMessage) => link.send(JSON.stringify(message));

  function closeEnd({ link, channel, other }: End, code: string): void {
    ends.get(link)?.delete(channel);
    if (other === undefined || ends.get(other.link)?.delete(other.channel) !== true) return;
    tell(other.link, { kind: 'closed', channel: other.channel, code, message: 'the other side is gone' });
  }

  server.on('connection', (link) => {
    let key: PeerKey | undefined;
    const own = new Map<number, End>();
    ends.set(link, own);
    const ports: [number, number] = [discovery[0].address().port, discovery[1].address().port];
    tell(link, { kind: 'challenge', challenge: `0x${'11'.repeat(32)}`, discovery: { ports } });
    const obey = (text: string) => {
      const message = peerLinkMessageSchema.parse(JSON.parse(text));
      switch (message.kind) {
        case 'hello':
          key = message.key;
          if (message.accepts) accepting.set(key, link);
          return tell(link, { kind: 'welcome', observed: '127.0.0.1', freeRelayBytes: 1e9 });
        case 'introduce': {
          const target = accepting.get(message.to);
          if (target === undefined || key === undefined) {
            return tell(link, { kind: 'closed', channel: message.channel, code: 'PEER_ABSENT', message: 'not here' });
          }
          introductions += 1;
          lastChannel += 1;
          const near: End = { link, channel: message.channel, other: undefined };
          const far: End = { link: target, channel: lastChannel, other: near };
          near.other = far;
          own.set(near.channel, near);
          ends.get(target)?.set(far.channel, far);
          const { token, streamId } = message;
          const addresses = book.hidesAddresses ? [] : message.addresses;
          return tell(target, { kind: 'introduction', channel: far.channel, from: key, token, addresses, streamId });
        }
        case 'answer': {
          const other = own.get(message.channel)?.other;
          const addresses = book.hidesAddresses ? [] : message.addresses;
          if (other !== undefined) tell(other.link, { ...message, addresses, channel: other.channel });
          return;
        }
        case 'close': {
          const end = own.get(message.channel);
          if (end !== undefined) closeEnd(end, 'PEER_ABSENT');
          return;
        }
        default:
          return message satisfies never;
      }
    };
    link.on('message', (data, isBinary) => {
      if (!(data instanceof Buffer)) return;
      if (!isBinary) return obey(data.toString());
      const channel = decodeRelayFrame(data)?.channel;
      const other = own.get(channel ?? 0)?.other;
      if (other === undefined) return;
      relayedBytes += data.byteLength;
      for (const frame of book.tamper(data)) {
        writeRelayChannel(frame, other.channel);
        other.link.send(frame);
      }
    });
    link.on('error', () => undefined);
    link.on('close', () => {
      for (const end of [...own.values()]) closeEnd(end, 'PEER_ABSENT');
      ends.delete(link);
      if (key !== undefined && accepting.get(key) === link) accepting.delete(key);
    });
  });

  return Object.assign(book, {
    url: `http://127.0.0.1:${bound.port}`,
    get relayedBytes() {
      return relayedBytes;
    },
    get introductions() {
      return introductions;
    },
    cutLinks: () => {
      for (const link of server.clients) link.terminate();
    },
    [Symbol.asyncDispose]: async () => {
      for (const link of server.clients) link.terminate();
      for (const socket of discovery) socket.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  });
}

async function openDiscovery(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (packet, { address, port }) => {
    const question = decodeDiscoveryQuestion(packet);
    if (question === undefined) return;
    const bytes = Uint8Array.from(address.split('.').map(Number));
    socket.send(encodeDiscoveryAnswer({ nonce: question.nonce, address: bytes, port }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
