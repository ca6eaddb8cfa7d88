import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import {
  bookLinkMessageSchema,
  bookMessageSchema,
  LatentError,
  linkHelloText,
  PEER_LINK_PATH,
  type PeerKey,
  peerKeySchema,
  type SignedAsk,
  signPresence,
} from '@latent/protocol';
import type { LocalAccount } from 'viem';
import { type RawData, WebSocket } from 'ws';
import type { z } from 'zod';
import { domain } from './market.ts';

/** Connects an agent to a book and sends its ask. It answers pings from then on, and nothing else. */
export async function openPresence(url: string, account: LocalAccount, signed: SignedAsk): Promise<WebSocket> {
  const { socket, next } = await connect(new URL('/v1/presence', url), bookMessageSchema);
  const challenge = await next('challenge');
  const signature = await signPresence(account, domain, url, challenge.challenge);
  socket.send(JSON.stringify({ kind: 'hello', agentKey: account.address, signature }));
  await next('present');
  socket.send(JSON.stringify({ kind: 'ask', signed }, (_, value) => (typeof value === 'bigint' ? `${value}` : value)));
  await next('ask-accepted');
  return socket;
}

export interface LinkedPeer {
  readonly key: PeerKey;
  readonly socket: WebSocket;
}

/** Links a fresh peer to a book, over which others may be introduced to it. */
export async function openLink(url: string): Promise<LinkedPeer> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const key = peerKeySchema.parse(`0x${raw.toString('hex')}`);
  const { socket, next, stopListening } = await connect(new URL(PEER_LINK_PATH, url), bookLinkMessageSchema);
  const { challenge } = await next('challenge');
  const signature = `0x${sign(null, Buffer.from(linkHelloText(url, challenge, key)), privateKey).toString('hex')}`;
  socket.send(JSON.stringify({ kind: 'hello', key, signature, accepts: true }));
  await next('welcome');
  stopListening();
  return { key, socket };
}

async function connect<Message extends { readonly kind: string }>(url: URL, schema: z.ZodType<Message>) {
  const socket = new WebSocket(url.href.replace('http', 'ws'), { perMessageDeflate: false });
  // The challenge may be here before `open` is told.
  const arrived: Message[] = [];
  let waiting: ((message: Message) => void) | undefined;
  const listen = (data: RawData) => {
    const message = schema.parse(JSON.parse(String(data)));
    if (waiting === undefined) arrived.push(message);
    else waiting(message);
  };
  socket.on('message', listen);
  await once(socket, 'open');
  async function next<Kind extends Message['kind']>(kind: Kind): Promise<Extract<Message, { kind: Kind }>> {
    const message =
      arrived.shift() ??
      (await new Promise<Message>((resolve) => {
        waiting = (given) => {
          waiting = undefined;
          resolve(given);
        };
      }));
    if (isOfKind<Message, Kind>(message, kind)) return message;
    throw new LatentError('INTERNAL', `The book said "${message.kind}" instead of "${kind}".`);
  }
  return { socket, next, stopListening: () => socket.off('message', listen) };
}

function isOfKind<Message extends { readonly kind: string }, Kind extends Message['kind']>(
  message: Message,
  kind: Kind,
): message is Extract<Message, { kind: Kind }> {
  return message.kind === kind;
}
