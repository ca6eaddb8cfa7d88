import { encodeRelayFrame, FIRST_BOOK_CHANNEL } from '@latent/protocol';
import { createKeyPair, KEY_SEED_BYTES } from '../key-pair.ts';
import { openBookLink } from '../link/book-link.ts';
import type { LinkSocketListener } from '../link/link-socket.ts';
import { expectBound, type FuzzTarget } from './fuzz-target.ts';

const MOST_CHANNELS = 64;
const KEY = `0x${'ab'.repeat(32)}`;
const TOKEN = '34'.repeat(16);
const meeting = { addresses: ['203.0.113.7:4433'], streamId: 5 };
const words = [
  { kind: 'challenge', challenge: `0x${'11'.repeat(32)}`, discovery: { host: 'book.example', ports: [3478, 3479] } },
  { kind: 'welcome', observed: '203.0.113.7', freeRelayBytes: 1e9 },
  { kind: 'introduction', channel: FIRST_BOOK_CHANNEL, from: KEY, token: TOKEN, ...meeting },
  { kind: 'introduction', channel: FIRST_BOOK_CHANNEL + 1, from: KEY, token: TOKEN, ...meeting },
  { kind: 'answer', channel: 1, ...meeting },
  { kind: 'closed', channel: 1, code: 'PEER_ABSENT', message: 'gone' },
  { kind: 'closed', channel: FIRST_BOOK_CHANNEL, code: 'STREAM_CLOSED', message: 'closed' },
  { kind: 'refused', code: 'NOT_ALLOWED', message: 'no' },
].map((message) => new TextEncoder().encode(JSON.stringify(message)));
const keyPair = createKeyPair(new Uint8Array(KEY_SEED_BYTES).fill(1));

/** What a hostile book can say and relay to a peer, as text and as bytes. */
export const linkTarget: FuzzTarget = {
  name: 'links, as a peer',
  samples: [encodeRelayFrame(FIRST_BOOK_CHANNEL, new Uint8Array(40)), encodeRelayFrame(1, new Uint8Array(9)), ...words],
  share: 50_000,
  open: (dice) => {
    let listener: LinkSocketListener | undefined;
    let isOver = false;
    const link = openBookLink({
      bookUrl: 'http://book.example',
      keyPair,
      openSocket: (_url, heard) => {
        listener = heard;
        return { sendText: () => undefined, sendBytes: (_bytes, sent) => sent(), close: () => undefined };
      },
      onIntroduction: ({ channel }) => {
        channel.answer(meeting);
        channel.bytes.resume();
        if (link.channels > MOST_CHANNELS / 2) channel.bytes.destroy();
      },
      onEnded: () => {
        isOver = true;
      },
    });
    const say = (input: Uint8Array) => listener?.onText(new TextDecoder().decode(input));
    // Most books get as far as a welcome.
    if (dice.below(8) > 0) for (const word of words.slice(0, 2)) say(word);
    if (link.isOpen) link.introduce(keyPair.key, TOKEN, meeting).bytes.resume();
    return {
      feed: (input) => {
        // The bytes are the listener's.
        listener?.onBytes(input.slice());
        say(input);
        expectBound('channels', link.channels, MOST_CHANNELS);
        return isOver ? 'over' : 'taken';
      },
      close: () => link.close(),
    };
  },
};
