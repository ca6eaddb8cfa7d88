import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import {
  type BookLinkMessage,
  encodeRelayFrame,
  type PeerKey,
  type PeerLinkMessage,
  peerLinkMessageSchema,
} from '@latent/protocol';
import { expect } from 'vitest';
import { WebSocketServer } from 'ws';
import { afterTest } from '../udp/raw-socket.fixture.ts';

export const CHALLENGE: BookLinkMessage = { kind: 'challenge', challenge: `0x${'11'.repeat(32)}` };
export const WELCOME: BookLinkMessage = { kind: 'welcome', observed: '127.0.0.1', freeRelayBytes: 1e9 };

/** A peer's link as a book sees it, that says whatever a test wants. */
export interface HostileEnd {
  tell(message: BookLinkMessage): void;
  /** Text, or a binary message. */
  send(data: string | Uint8Array): void;
  relay(channel: number, payload: Uint8Array): void;
  /** What the peer says. */
  next(): Promise<PeerLinkMessage | Uint8Array | 'ended'>;
  expectNext<Kind extends PeerLinkMessage['kind']>(kind: Kind): Promise<PeerLinkMessage & { readonly kind: Kind }>;
  /** The next of these kinds; bytes before it are skipped. */
  expectNextOf<Kind extends PeerLinkMessage['kind']>(
    kinds: readonly Kind[],
  ): Promise<PeerLinkMessage & { readonly kind: Kind }>;
  ping(): void;
  /** Reads nothing more. */
  stopReading(): void;
  cut(): void;
  readonly ended: Promise<void>;
}

export interface HostileBook {
  readonly url: string;
  nextLink(): Promise<HostileEnd>;
  /** One that has said hello and was welcomed. */
  nextWelcomed(): Promise<HostileEnd & { readonly key: PeerKey }>;
}

export async function openHostileBook(): Promise<HostileBook> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1 << 24, perMessageDeflate: false });
  await once(server, 'listening');
  const links = createQueue<HostileEnd>();
  server.on('connection', (socket) => {
    const said = createQueue<PeerLinkMessage | Uint8Array | 'ended'>();
    const ended = Promise.withResolvers<void>();
    socket.on('message', (data, isBinary) => {
      if (!(data instanceof Buffer)) return;
      said.put(isBinary ? data : peerLinkMessageSchema.parse(JSON.parse(data.toString())));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      said.put('ended');
      ended.resolve();
    });
    const end: HostileEnd = {
      tell: (message) => socket.send(JSON.stringify(message)),
      send: (data) => socket.send(data),
      relay: (channel, payload) => socket.send(encodeRelayFrame(channel, payload)),
      next: said.take,
      expectNext: async <Kind extends PeerLinkMessage['kind']>(kind: Kind) => {
        const message = await said.take();
        if (message !== 'ended' && 'kind' in message && isKind(message, kind)) return message;
        return expect.unreachable(`not ${kind}: ${JSON.stringify(message)}`);
      },
      expectNextOf: async <Kind extends PeerLinkMessage['kind']>(kinds: readonly Kind[]) => {
        for (;;) {
          const message = await said.take();
          if (message === 'ended') return expect.unreachable('the link has ended');
          if (!('kind' in message)) continue;
          const [kind] = kinds.filter((candidate) => candidate === message.kind);
          if (kind !== undefined && isKind(message, kind)) return message;
        }
      },
      ping: () => socket.ping(),
      stopReading: () => socket.pause(),
      cut: () => socket.terminate(),
      ended: ended.promise,
    };
    links.put(end);
  });
  afterTest(async () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return expect.unreachable('no port');
  return {
    url: `http://127.0.0.1:${bound.port}`,
    nextLink: links.take,
    nextWelcomed: async () => {
      const end = await links.take();
      end.tell(CHALLENGE);
      const { key } = await end.expectNext('hello');
      end.tell(WELCOME);
      return { ...end, key };
    },
  };
}

/** A server that speaks no WebSocket. @returns the URL of the book that it is taken for */
export async function openRawServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return expect.unreachable('no port');
  return `http://127.0.0.1:${bound.port}`;
}

export interface Queue<Item> {
  put(item: Item): void;
  take(): Promise<Item>;
}

export function createQueue<Item>(): Queue<Item> {
  const items: Item[] = [];
  let arrival = Promise.withResolvers<void>();
  return {
    put: (item) => {
      items.push(item);
      arrival.resolve();
      arrival = Promise.withResolvers();
    },
    take: async () => {
      for (;;) {
        const [first] = items.splice(0, 1);
        if (first !== undefined) return first;
        await arrival.promise;
      }
    },
  };
}

function isKind<Kind extends PeerLinkMessage['kind']>(
  message: PeerLinkMessage,
  kind: Kind,
): message is PeerLinkMessage & { readonly kind: Kind } {
  return message.kind === kind;
}
