import {
  decodeDiscoveryAnswer,
  decodeDiscoveryQuestion,
  decodeRelayFrame,
  encodeDiscoveryAnswer,
  encodeDiscoveryQuestion,
  encodeRelayFrame,
  MAX_RELAY_PAYLOAD_BYTES,
  peerLinkMessageSchema,
} from '@latent/protocol';
import { Datagrams, MAX_DATAGRAM_BYTES } from '../connection/datagrams.ts';
import { encodeLength, MessageReader } from '../connection/message-reader.ts';
import {
  decodePathMessage,
  encodeAck,
  encodeAttach,
  encodeAttached,
  encodeGoodbye,
  PING,
} from '../connection/path-message.ts';
import { MAX_HINTS, parseHints } from '../hints.ts';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { COOKIE_BYTES, decodePeerPacket, encodePeerPacket, NONCE_BYTES, TOKEN_BYTES } from '../udp/packet.ts';
import { parseUdpAddress } from '../udp/udp-address.ts';
import { expectBound, type Fed, type FuzzTarget } from './fuzz-target.ts';
import type { Samples } from './spoil-bytes.ts';

const MANY = 87_500;
const FEW = 20;
const framed = (message: Uint8Array) => Uint8Array.of(...encodeLength(message), ...message);
const utf8 = (text: string) => new TextEncoder().encode(text);
const KEY = `0x${'ab'.repeat(32)}`;
const token = new Uint8Array(TOKEN_BYTES).fill(7);
const cookie = new Uint8Array(COOKIE_BYTES).fill(8);
const nonce = new Uint8Array(NONCE_BYTES).fill(9);

/** A function from bytes to something, or to nothing. */
function parser(name: string, samples: Samples, parse: (input: Uint8Array) => unknown): FuzzTarget {
  const feed = (input: Uint8Array): Fed => (parse(input) === undefined ? 'refused' : 'taken');
  return { name, samples, share: MANY, open: () => ({ feed }) };
}

export const pathMessages: Samples = [
  PING,
  Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8),
  Uint8Array.of(4, ...new Datagrams().encode({ streamId: 1, bytes: Uint8Array.of(1, 2, 3) })),
  encodeAck(2 ** 40),
  encodeAck(0),
  encodeAttach({ id: 'cd'.repeat(16), generation: 1, isNew: true, received: 0 }),
  encodeAttached({ received: 0, from: 0 }),
  encodeGoodbye({ code: 'CANCELLED', message: 'bye' }),
];

/** Messages of a peer to a book. */
const peerWords: Samples = [
  utf8(JSON.stringify({ kind: 'hello', key: KEY, signature: `0x${'12'.repeat(64)}`, accepts: true })),
  utf8(
    JSON.stringify({
      kind: 'introduce',
      channel: 1,
      to: KEY,
      token: '34'.repeat(16),
      addresses: ['203.0.113.7:4433', '[2001:db8::7]:4433'],
      streamId: 5,
    }),
  ),
  utf8(JSON.stringify({ kind: 'answer', channel: 2 ** 31, addresses: [], streamId: 1 })),
  utf8(JSON.stringify({ kind: 'close', channel: 7 })),
];

export const packetTargets: readonly FuzzTarget[] = [
  parser('messages of paths', pathMessages, decodePathMessage),
  parser(
    'packets of peers',
    [
      encodePeerPacket({ kind: 'probe', token, nonce }),
      encodePeerPacket({ kind: 'echo', token, nonce, ownNonce: nonce }),
      encodePeerPacket({ kind: 'knock', token, streamId: 5, cookie }),
      encodePeerPacket({ kind: 'cookie', token, cookie }),
      encodePeerPacket({ kind: 'opened', token, streamId: 6 }),
    ],
    decodePeerPacket,
  ),
  parser(
    'discovery',
    [
      encodeDiscoveryQuestion({ kind: 'same', nonce: token }),
      encodeDiscoveryAnswer({ nonce: token, address: Uint8Array.of(203, 0, 113, 7), port: 4433 }),
      encodeDiscoveryAnswer({ nonce: token, address: token, port: 1 }),
    ],
    (input) => decodeDiscoveryQuestion(input) ?? decodeDiscoveryAnswer(input),
  ),
  parser('relayed frames', [encodeRelayFrame(2 ** 31, token), encodeRelayFrame(1, new Uint8Array(0))], (input) => {
    const frame = decodeRelayFrame(input);
    expectBound('relayed bytes', frame?.payload.byteLength ?? 0, MAX_RELAY_PAYLOAD_BYTES);
    return frame;
  }),
  parser('links, as a book', peerWords, (input) => {
    const parsed = peerLinkMessageSchema.safeParse(parseJson(input));
    return parsed.success ? parsed.data : undefined;
  }),
  parser(
    'hints',
    [utf8('udp://203.0.113.7:4433'), utf8('udp://[2001:db8::7]:1'), utf8('book+https://book.example/x')],
    (input) => {
      const text = new TextDecoder().decode(input);
      const { udp, books } = parseHints(Array.from({ length: 20 }, () => text));
      expectBound('hints', udp.length + books.length, MAX_HINTS);
      return udp.map(parseUdpAddress).find((address) => address !== undefined) ?? books[0];
    },
  ),
  {
    name: 'datagrams',
    samples: [new Datagrams().encode({ streamId: 1, bytes: token }), new Uint8Array(10), new Uint8Array(10).fill(255)],
    share: MANY,
    open: () => {
      const datagrams = new Datagrams();
      let fed = 0;
      return {
        feed: (input) => {
          // One with the highest number would leave nothing to be let in.
          fed += 1;
          if (fed > FEW) return 'over';
          const datagram = datagrams.decode(input);
          expectBound('a datagram', datagram?.bytes.byteLength ?? 0, MAX_DATAGRAM_BYTES);
          return datagram === undefined ? 'refused' : 'taken';
        },
      };
    },
  },
  {
    name: 'messages of streams',
    samples: [framed(token), framed(new Uint8Array(0)), framed(new Uint8Array(5_000))],
    share: MANY,
    open: () => {
      const reader = new MessageReader();
      return {
        feed: (input) => {
          reader.add(input);
          let taken: Fed = 'refused';
          for (let message = reader.take(); message !== undefined; message = reader.take()) {
            expectBound('a message', message.byteLength, MAX_MESSAGE_BYTES);
            taken = 'taken';
          }
          return taken;
        },
      };
    },
  },
];

function parseJson(input: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(input));
  } catch {
    // Not JSON: as a book does, which then has nothing that fits.
    return undefined;
  }
}
