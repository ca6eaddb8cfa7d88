import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  type BookLinkMessage,
  decodeDiscoveryQuestion,
  decodeRelayFrame,
  encodeDiscoveryAnswer,
  FIRST_BOOK_CHANNEL,
  type PeerKey,
  type PeerLinkMessage,
  peerLinkMessageSchema,
  writeRelayChannel,
} from '@latent/protocol';
import { type WebSocket, WebSocketServer } from 'ws';

/** One side of an introduction, at one of the two links. */
interface End {
  readonly link: Link;
  readonly channel: number;
  other: End | undefined;
}

interface Link {
  readonly socket: WebSocket;
  readonly ends: Map<number, End>;
  key: PeerKey | undefined;
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
  /** Links that are open. */
  readonly links: number;
  tamper: Tamper;
  /** Breaks all links; they may come back. */
  cutLinks(): void;
  /** No introduction gets an answer of the other side's addresses. */
  hidesAddresses: boolean;
}

/** @param port 0: any free one */
export async function openSmallBook(port = 0): Promise<SmallBook> {
  const discovery = [await openDiscovery(), await openDiscovery()] as const;
  const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 1 << 20, perMessageDeflate: false });
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  const state = new BookState([discovery[0].address().port, discovery[1].address().port]);
  server.on('connection', (socket) => state.addLink(socket));
  let closing: Promise<void> | undefined;
  const close = async () => {
    const closed = once(server, 'close');
    for (const socket of discovery) socket.close();
    server.close();
    state.cutLinks();
    await closed;
  };
  return Object.assign(state, {
    url: `http://127.0.0.1:${bound.port}`,
    [Symbol.asyncDispose]: async () => {
      closing ??= close();
      await closing;
    },
  });
}

class BookState {
  tamper: Tamper = (frame) => [frame];
  hidesAddresses = false;
  /** What peers said on payment. */
  readonly payments: PeerLinkMessage[] = [];
  relayedBytes = 0;
  introductions = 0;
  readonly #links = new Set<Link>();
  readonly #accepting = new Map<PeerKey, Link>();
  readonly #discoveryPorts: [number, number];
  #lastChannel = FIRST_BOOK_CHANNEL;

  constructor(discoveryPorts: [number, number]) {
    this.#discoveryPorts = discoveryPorts;
  }

  get links(): number {
    return this.#links.size;
  }

  cutLinks(): void {
    for (const { socket } of this.#links) socket.terminate();
  }

  addLink(socket: WebSocket): void {
    const link: Link = { socket, ends: new Map(), key: undefined };
    this.#links.add(link);
    socket.on('message', (data, isBinary) => {
      if (!(data instanceof Buffer)) return;
      if (isBinary) this.#relay(link, data);
      else this.#obey(link, peerLinkMessageSchema.parse(JSON.parse(data.toString())));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#removeLink(link));
    const discovery = { ports: this.#discoveryPorts };
    tell(link, { kind: 'challenge', challenge: `0x${'11'.repeat(32)}`, discovery });
  }

  #removeLink(link: Link): void {
    for (const end of [...link.ends.values()]) closeEnd(end);
    this.#links.delete(link);
    if (link.key !== undefined && this.#accepting.get(link.key) === link) this.#accepting.delete(link.key);
  }

  #obey(link: Link, message: PeerLinkMessage): void {
    switch (message.kind) {
      case 'hello':
        link.key = message.key;
        if (message.accepts) this.#accepting.set(message.key, link);
        tell(link, { kind: 'welcome', observed: '127.0.0.1', freeRelayBytes: 1e9 });
        return;
      case 'introduce':
        this.#introduce(link, message);
        return;
      case 'answer': {
        const other = link.ends.get(message.channel)?.other;
        const addresses = this.hidesAddresses ? [] : message.addresses;
        if (other !== undefined) tell(other.link, { ...message, addresses, channel: other.channel });
        return;
      }
      case 'close': {
        const end = link.ends.get(message.channel);
        if (end !== undefined) closeEnd(end);
        return;
      }
      case 'pay':
      case 'claim':
        this.payments.push(message);
        return;
      default:
        message satisfies never;
    }
  }

  #introduce(link: Link, message: PeerLinkMessage & { readonly kind: 'introduce' }): void {
    const { channel, to, token, streamId } = message;
    const target = this.#accepting.get(to);
    if (target === undefined || link.key === undefined) {
      tell(link, { kind: 'closed', channel, code: 'PEER_ABSENT', message: 'not here' });
      return;
    }
    this.introductions += 1;
    this.#lastChannel += 1;
    const near: End = { link, channel, other: undefined };
    const far: End = { link: target, channel: this.#lastChannel, other: near };
    near.other = far;
    link.ends.set(near.channel, near);
    target.ends.set(far.channel, far);
    const addresses = this.hidesAddresses ? [] : message.addresses;
    tell(target, { kind: 'introduction', channel: far.channel, from: link.key, token, addresses, streamId });
  }

  #relay(link: Link, data: Buffer): void {
    const other = link.ends.get(decodeRelayFrame(data)?.channel ?? 0)?.other;
    if (other === undefined) return;
    this.relayedBytes += data.byteLength;
    for (const frame of this.tamper(data)) {
      writeRelayChannel(frame, other.channel);
      other.link.socket.send(frame);
    }
  }
}

function tell({ socket }: Link, message: BookLinkMessage): void {
  socket.send(JSON.stringify(message));
}

function closeEnd({ link, channel, other }: End): void {
  link.ends.delete(channel);
  if (other === undefined || !other.link.ends.delete(other.channel)) return;
  tell(other.link, { kind: 'closed', channel: other.channel, code: 'PEER_ABSENT', message: 'the other side is gone' });
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
