import { once } from 'node:events';
import {
  type BookLinkMessage,
  bookLinkMessageSchema,
  PEER_LINK_PATH,
  type PeerKey,
  type PeerLinkMessage,
  peerLinkMessageSchema,
} from '@latent/protocol';
import { expect } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { afterTest } from '../udp/raw-socket.fixture.ts';
import { openSmallBook } from './small-book.fixture.ts';

/** A book between a small one and its peers, which says and relays something else. */
export interface LyingBook {
  readonly url: string;
  /** What a peer says; `key` is undefined before its hello. */
  toBook: (message: PeerLinkMessage, key: PeerKey | undefined) => PeerLinkMessage;
  /** What is said to a peer. */
  toPeer: (message: BookLinkMessage, key: PeerKey | undefined) => BookLinkMessage;
  /** What a peer sends by a channel: the frames that are passed on. */
  relay: (frame: Buffer, key: PeerKey | undefined) => readonly Buffer[];
  /** Sends a frame to a peer, as if relayed. */
  send(frame: Buffer, to: PeerKey): void;
}

export async function openLyingBook(): Promise<LyingBook> {
  const honest = await openSmallBook();
  afterTest(async () => await honest[Symbol.asyncDispose]());
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1 << 20, perMessageDeflate: false });
  await once(server, 'listening');
  afterTest(async () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return expect.unreachable('no port');
  const peers = new Map<PeerKey, WebSocket>();
  const book: LyingBook = {
    url: `http://127.0.0.1:${bound.port}`,
    toBook: (message) => message,
    toPeer: (message) => message,
    relay: (frame) => [frame],
    send: (frame, to) => peers.get(to)?.send(frame),
  };
  server.on('connection', (near) => {
    const far = new WebSocket(honest.url.replace('http', 'ws') + PEER_LINK_PATH, { perMessageDeflate: false });
    const opened = once(far, 'open');
    let key: PeerKey | undefined;
    const pass = (data: Buffer, isBinary: boolean) => {
      if (isBinary) {
        for (const frame of book.relay(data, key)) far.send(frame);
        return;
      }
      const message = peerLinkMessageSchema.parse(JSON.parse(data.toString()));
      if (message.kind === 'hello') {
        key = message.key;
        peers.set(key, near);
      }
      far.send(JSON.stringify(book.toBook(message, key)));
    };
    near.on('message', (data, isBinary) => {
      if (data instanceof Buffer) void opened.then(() => pass(data, isBinary));
    });
    far.on('message', (data, isBinary) => {
      if (!(data instanceof Buffer)) return;
      if (isBinary) near.send(data);
      else near.send(JSON.stringify(book.toPeer(bookLinkMessageSchema.parse(JSON.parse(data.toString())), key)));
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => other.terminate());
    }
  });
  return book;
}
