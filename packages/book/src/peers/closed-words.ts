import type { ClosedWord } from './channel.ts';

/** What a peer is told of a channel that is gone. Codes are error codes. */
export const closedWords = {
  closed: { code: 'STREAM_CLOSED', message: 'The other side closed the channel.' },
  gone: { code: 'PEER_ABSENT', message: 'The link of the other side to this book has ended.' },
  unanswered: { code: 'PEER_ABSENT', message: 'The other side did not answer.' },
  overflow: { code: 'RELAY_OVERFLOW', message: 'What was sent over this channel was taken too slowly.' },
  usedUp: {
    code: 'RELAY_QUOTA',
    message: 'What is relayed without payment was used up for today. Introductions go on.',
  },
} as const satisfies Record<string, ClosedWord>;
