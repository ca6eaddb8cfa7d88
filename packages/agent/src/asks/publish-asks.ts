import { type AgentMessage, bookMessageSchema, type SignedAsk, signPresence } from '@latent/protocol';
import { WebSocket } from 'ws';
import type { AgentContext } from '../agent-context.ts';

/** What a book is told, each time it changes and after each reconnect. */
export interface Listing {
  readonly signed: SignedAsk;
  readonly freeDevices: number;
}

export interface BookConnection {
  /** Tells the book, now or as soon as it is connected. */
  update(listing: Listing): void;
  readonly closed: Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const MAX_MESSAGE_BYTES = 64 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A book pings; one that is silent for so long is gone. */
const SILENCE_MS = 90_000;

/**
 * Keeps one connection to a book until `context.signal` aborts, reconnecting for ever; the connection is the agent's
 * presence. A book that refuses the ask says why in the log; the agent goes on with the other books.
 */
export function keepPresent(
  context: Pick<AgentContext, 'identity' | 'chain' | 'clock' | 'logger' | 'signal'>,
  bookUrl: string,
  first: Listing,
): BookConnection {
  let listing = first;
  let tell: (() => void) | undefined;
  const closed = (async () => {
    for (let waitMs = FIRST_WAIT_MS; !context.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const connectedMs = await connectOnce(
        context,
        bookUrl,
        () => listing,
        (send) => {
          tell = send;
        },
      );
      tell = undefined;
      if (connectedMs > LONGEST_WAIT_MS) waitMs = FIRST_WAIT_MS;
      await context.clock.sleep(waitMs, { signal: context.signal }).catch(() => undefined);
    }
  })();
  return {
    update: (next) => {
      listing = next;
      tell?.();
    },
    closed,
  };
}

/** One life of the connection. @returns how long it lasted, in milliseconds */
async function connectOnce(
  context: Pick<AgentContext, 'identity' | 'chain' | 'clock' | 'logger' | 'signal'>,
  bookUrl: string,
  listing: () => Listing,
  onReady: (send: () => void) => void,
): Promise<number> {
  const { identity, chain, clock, logger, signal } = context;
  const startedMs = clock.nowMs();
  const url = new URL('/v1/presence', bookUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, {
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    perMessageDeflate: false,
  });
  const send = (message: AgentMessage) =>
    socket.send(
      JSON.stringify(message, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
    );
  const silence = setTimeout(() => socket.terminate(), SILENCE_MS);
  const drop = () => socket.terminate();
  signal.addEventListener('abort', drop, { once: true });
  socket.on('ping', () => silence.refresh());
  socket.on('message', (data) => {
    silence.refresh();
    const message = bookMessageSchema.safeParse(parseJson(String(data)));
    if (!message.success) return socket.terminate();
    switch (message.data.kind) {
      case 'challenge': {
        const { challenge } = message.data;
        void signPresence(identity.agent, chain.domain, bookUrl, challenge).then(
          (signature) => send({ kind: 'hello', agentKey: identity.agent.address, signature }),
          drop,
        );
        return;
      }
      case 'present': {
        const tell = () => {
          const { signed, freeDevices } = listing();
          send({ kind: 'ask', signed });
          send({ kind: 'free', freeDevices });
        };
        tell();
        onReady(tell);
        logger.info({ book: bookUrl }, 'present at book');
        return;
      }
      case 'ask-accepted':
        logger.debug({ book: bookUrl, ask: message.data.ask }, 'book took the ask');
        return;
      case 'refused':
        logger.warn({ book: bookUrl, code: message.data.code }, 'book refused');
        return;
      default:
        return message.data satisfies never;
    }
  });
  await new Promise<void>((resolve) => {
    socket.on('error', (error) => logger.debug({ book: bookUrl, error: error.message }, 'connection to book failed'));
    socket.on('close', () => resolve());
  });
  clearTimeout(silence);
  signal.removeEventListener('abort', drop);
  return clock.nowMs() - startedMs;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema refuses undefined, and the connection is dropped.
    return undefined;
  }
}
