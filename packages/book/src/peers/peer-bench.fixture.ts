import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  type BookLinkMessage,
  bookLinkMessageSchema,
  type Discovery,
  decodeRelayFrame,
  encodeRelayFrame,
  linkHelloText,
  PEER_LINK_PATH,
  type PeerKey,
  type PeerLinkMessage,
  peerKeySchema,
  type RelayFrame,
} from '@latent/protocol';
import { WebSocket } from 'ws';
import { toJson } from '../to-json.ts';

/** A peer with a key of its own. */
export interface TestPeer {
  readonly key: PeerKey;
  readonly signHello: (bookUrl: string, challenge: string) => `0x${string}`;
}

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export function createPeer(name: string): TestPeer {
  const seed = createHash('sha256').update(name).digest();
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const key = rawKey(createPublicKey(secret));
  return {
    key,
    signHello: (bookUrl, challenge) =>
      `0x${sign(null, Buffer.from(linkHelloText(bookUrl, challenge, key)), secret).toString('hex')}`,
  };
}

function rawKey(key: KeyObject): PeerKey {
  return peerKeySchema.parse(`0x${key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')}`);
}

/** A book that runs here. */
export interface DialledBook {
  readonly book: { readonly url: string };
}

/** A peer's end of a link. */
export interface TestLink {
  readonly socket: WebSocket;
  readonly challenge: string;
  readonly discovery: Discovery | undefined;
  readonly send: (message: PeerLinkMessage) => void;
  readonly relay: (channel: number, payload: Uint8Array) => void;
  /** The next message of JSON. */
  readonly next: () => Promise<BookLinkMessage>;
  readonly nextFrame: () => Promise<RelayFrame>;
  /** Frames that came and were not asked for yet. */
  readonly frames: () => readonly RelayFrame[];
  /** Resolves with the code once the WebSocket is closed. */
  readonly closed: Promise<number>;
}

export interface LinkOptions {
  readonly accepts?: boolean;
  /** Where the peer is: another address of this machine, as `127.0.0.2`. */
  readonly localAddress?: string;
  /** It pays, and hears of it. */
  readonly pays?: boolean;
}

/** Opens a WebSocket and takes the challenge. */
export async function dial(bench: DialledBook, { localAddress }: LinkOptions = {}): Promise<TestLink> {
  const url = new URL(PEER_LINK_PATH, bench.book.url.replace('http', 'ws'));
  const socket = new WebSocket(url, localAddress === undefined ? {} : { localAddress });
  const messages = createInbox<BookLinkMessage>();
  const frames = createInbox<RelayFrame>();
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('message', (data, isBinary) => {
    if (!isBinary) return messages.put(bookLinkMessageSchema.parse(JSON.parse(String(data))));
    const frame = Buffer.isBuffer(data) ? decodeRelayFrame(data) : undefined;
    if (frame === undefined) throw new Error('the book relayed what is no frame');
    return frames.put(frame);
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => undefined);
  const first = await messages.next();
  if (first.kind !== 'challenge') throw new Error(`expected a challenge, got ${first.kind}`);
  return {
    socket,
    challenge: first.challenge,
    discovery: first.discovery,
    send: (message) => socket.send(toJson(message)),
    relay: (channel, payload) => socket.send(encodeRelayFrame(channel, payload)),
    next: messages.next,
    nextFrame: frames.next,
    frames: frames.all,
    closed,
  };
}

/** Opens a link and says hello. */
export async function openLink(bench: DialledBook, peer: TestPeer, options: LinkOptions = {}): Promise<TestLink> {
  const link = await dial(bench, options);
  const signature = peer.signHello(bench.book.url, link.challenge);
  link.send({ kind: 'hello', key: peer.key, signature, accepts: options.accepts ?? true, pays: options.pays ?? false });
  const answer = await link.next();
  if (answer.kind !== 'welcome') throw new Error(`the hello was not taken: ${JSON.stringify(answer)}`);
  return link;
}

export const meeting = { addresses: ['203.0.113.7:4433'], streamId: 7 };

/** Asks for an introduction, on a channel of the asker's number. */
export function introduce(link: TestLink, channel: number, to: TestPeer): string {
  const token = randomBytes(16).toString('hex');
  link.send({ kind: 'introduce', channel, to: to.key, token, ...meeting });
  return token;
}

/** Opens a channel between two links, answered. @returns the number by which `to` knows it */
export async function openChannel(
  from: TestLink,
  channel: number,
  to: { readonly peer: TestPeer; readonly link: TestLink },
): Promise<number> {
  introduce(from, channel, to.peer);
  const told = await to.link.next();
  if (told.kind !== 'introduction') throw new Error(`expected an introduction, got ${JSON.stringify(told)}`);
  to.link.send({ kind: 'answer', channel: told.channel, ...meeting });
  const answer = await from.next();
  if (answer.kind !== 'answer') throw new Error(`expected an answer, got ${JSON.stringify(answer)}`);
  return told.channel;
}

/** Resolves when the book has handled everything that was sent over this link before. */
export async function settled(link: TestLink): Promise<void> {
  const answered = new Promise((resolve) => link.socket.once('pong', resolve));
  link.socket.ping();
  await answered;
}

function createInbox<Item>() {
  let arrived: Item[] = [];
  const waiting: ((item: Item) => void)[] = [];
  return {
    put: (item: Item) => {
      const waiter = waiting.shift();
      if (waiter === undefined) arrived.push(item);
      else waiter(item);
    },
    next: () =>
      new Promise<Item>((resolve) => {
        const [item, ...rest] = arrived;
        if (item === undefined) {
          waiting.push(resolve);
          return;
        }
        arrived = rest;
        resolve(item);
      }),
    all: () => arrived,
  };
}
