import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  asksAnswerSchema,
  decodeRelayFrame,
  PEER_LINK_PATH,
  type PeerKey,
  peerLinkMessageSchema,
} from '@latent/protocol';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';

/** A book that is bad to those who come to it: in front of an honest one, of which it alters what it likes. */
export interface BookInTheMiddle {
  readonly url: string;
  /** The honest one. To be set before anybody comes. */
  behind: string;
  /** Serves asks with this peer key in the place of the signed one. */
  forgedPeerKey: PeerKey | undefined;
  /** Introduces everybody to this peer, whoever was asked for. */
  swappedPeer: PeerKey | undefined;
  /** Flips a bit in so many of the next frames that it relays to a peer. */
  framesToAlter: number;
  /** Bytes that were relayed to peers. */
  readonly relayedBytes: number;
  /** Breaks all links; they may come back. */
  cutLinks(): void;
  /** Lets nothing through any more on the links that there are, without a word. Others may come. */
  freezeLinks(): void;
  close(): Promise<void>;
}

interface Relayed {
  readonly front: WebSocket;
  isFrozen: boolean;
}

export async function openBookInTheMiddle(): Promise<BookInTheMiddle> {
  const links = new Set<Relayed>();
  let relayedBytes = 0;
  const server = createServer((request, response) => {
    void serveAsks(book, request.url ?? '').then(
      (answer) => response.setHeader('access-control-allow-origin', '*').end(answer),
      () => response.destroy(),
    );
  });
  const sockets = new WebSocketServer({ server, path: PEER_LINK_PATH, perMessageDeflate: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());

  const book: BookInTheMiddle = {
    url: `http://127.0.0.1:${port}`,
    behind: '',
    forgedPeerKey: undefined,
    swappedPeer: undefined,
    framesToAlter: 0,
    get relayedBytes() {
      return relayedBytes;
    },
    cutLinks: () => {
      for (const { front } of links) front.terminate();
    },
    freezeLinks: () => {
      for (const link of links) link.isFrozen = true;
    },
    close: async () => {
      for (const { front } of links) front.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  const alter = (frame: Buffer) => {
    const payload = decodeRelayFrame(frame)?.payload;
    if (book.framesToAlter === 0 || payload === undefined || payload.byteLength === 0) return;
    book.framesToAlter -= 1;
    const at = frame.byteLength - 1;
    frame[at] = (frame[at] ?? 0) ^ 1;
  };

  sockets.on('connection', (front) => {
    const back = new WebSocket(`${book.behind.replace(/^http/, 'ws')}${PEER_LINK_PATH}`, { perMessageDeflate: false });
    const link: Relayed = { front, isFrozen: false };
    links.add(link);
    front.on('message', (data, isBinary) => {
      if (link.isFrozen || !Buffer.isBuffer(data)) return;
      back.send(isBinary ? data : toHonest(book, data.toString()), { binary: isBinary });
    });
    back.on('message', (data, isBinary) => {
      if (link.isFrozen || !Buffer.isBuffer(data)) return;
      if (isBinary) {
        alter(data);
        relayedBytes += data.byteLength;
      }
      front.send(data, { binary: isBinary });
    });
    front.on('close', () => {
      links.delete(link);
      back.terminate();
    });
    back.on('close', () => front.terminate());
    back.on('error', () => undefined);
  });
  return book;
}

/** What a peer says, as the honest book is to hear it. */
function toHonest({ swappedPeer }: BookInTheMiddle, text: string): string {
  const message = peerLinkMessageSchema.parse(JSON.parse(text));
  if (message.kind !== 'introduce' || swappedPeer === undefined) return text;
  return JSON.stringify({ ...message, to: swappedPeer });
}

async function serveAsks({ behind, forgedPeerKey }: BookInTheMiddle, path: string): Promise<string> {
  const honest = await (await fetch(new URL(path, behind))).text();
  const { asks, total } = asksAnswerSchema.parse(JSON.parse(honest));
  if (forgedPeerKey === undefined) return honest;
  const forged = asks.map((listed) => {
    const resource = { ...listed.signed.resource, peerKey: forgedPeerKey };
    return { ...listed, signed: { ...listed.signed, resource } };
  });
  return JSON.stringify({ asks: forged, total }, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
