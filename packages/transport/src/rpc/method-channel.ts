import { LatentError, type PeerKey } from '@latent/protocol';
import type { EncryptedStream } from '../transport.ts';
import { decodeMessage, encodeBytes, encodeError, encodeJson, type WireMessage } from './wire-message.ts';

export type ChannelMessage = Exclude<WireMessage, { readonly kind: 'error' }>;

/** The two directions of one call, after its first messages. */
export interface MethodChannel {
  readonly remoteKey: PeerKey;
  /**
   * Sends a value; a `bigint` in it goes as a decimal string. Await it: it resolves when there is room for more.
   * @throws LatentError STREAM_CLOSED, MESSAGE_TOO_LARGE (beyond MAX_PAYLOAD_BYTES), MESSAGE_INVALID (not JSON)
   */
  sendJson(value: unknown): Promise<void>;
  /**
   * Sends bytes as one message; await it: it resolves when there is room for more.
   * @throws LatentError STREAM_CLOSED, MESSAGE_TOO_LARGE (beyond MAX_PAYLOAD_BYTES)
   */
  sendBytes(bytes: Uint8Array): Promise<void>;
  /**
   * The next message; undefined once the peer has ended.
   * @throws LatentError the error that the peer ended with; STREAM_CLOSED; MESSAGE_INVALID; MESSAGE_TOO_LARGE when more
   *   bytes came than this call may take
   */
  receive(): Promise<ChannelMessage | undefined>;
  /** {@link receive} until the peer has ended. Leaving the loop early leaves the channel open. */
  messages(): AsyncGenerator<ChannelMessage, void, void>;
  /** Ends our side; what was sent still arrives. @throws LatentError STREAM_CLOSED */
  end(): Promise<void>;
  /** Ends our side with a reason, which the peer's `receive` throws. @throws LatentError STREAM_CLOSED */
  fail(error: LatentError): Promise<void>;
  /** Drops both sides at once. */
  destroy(): void;
  /**
   * The stream itself, from here on: messages without a tag, datagrams, and no limit to what may come but that unread messages hold
   * the peer back. The peer has to do the same at the same place. The channel is of no use after it.
   */
  takeOver(): EncryptedStream;
  /** Settles when both sides have ended or the stream broke. Never rejects. */
  readonly closed: Promise<void>;
}

/** What the peer may still send, tags included. Counted down; may be raised by whoever gave it. */
export interface ByteBudget {
  remainingBytes: number;
}

/** Speaks messages with a tag over a stream, which it takes over. */
export function createChannel(stream: EncryptedStream, budget: ByteBudget): MethodChannel {
  const incoming = stream.messages()[Symbol.asyncIterator]();

  async function receive(): Promise<ChannelMessage | undefined> {
    const next = await incoming.next();
    if (next.done === true) return undefined;
    budget.remainingBytes -= next.value.byteLength;
    if (budget.remainingBytes < 0) throw new LatentError('MESSAGE_TOO_LARGE', 'More bytes than this call may take.');
    const message = decodeMessage(next.value);
    if (message.kind !== 'error') return message;
    throw LatentError.fromBody(message.body);
  }

  async function* messages(): AsyncGenerator<ChannelMessage, void, void> {
    for (let message = await receive(); message !== undefined; message = await receive()) yield message;
  }

  return {
    remoteKey: stream.remoteKey,
    sendJson: async (value) => await stream.send(encodeJson(value)),
    sendBytes: async (bytes) => await stream.send(encodeBytes(bytes)),
    receive,
    messages,
    end: () => stream.end(),
    fail: async (error) => {
      await stream.send(encodeError(error.toBody()));
      await stream.end();
    },
    destroy: () => stream.destroy(),
    takeOver: () => ({
      remoteKey: stream.remoteKey,
      send: (message) => stream.send(message),
      messages: () => ({ [Symbol.asyncIterator]: () => incoming }),
      end: () => stream.end(),
      destroy: () => stream.destroy(),
      sendDatagram: (bytes) => stream.sendDatagram(bytes),
      onDatagram: (listener) => stream.onDatagram(listener),
      get route() {
        return stream.route;
      },
      closed: stream.closed,
    }),
    closed: stream.closed,
  };
}
