import { LatentError } from '@latent/protocol';
import type { Logger } from '@libp2p/interface';
import { AbstractMessageStream, type SendResult } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import type { Uint8ArrayList } from 'uint8arraylist';
import { MuxLimit } from './mux-limit.ts';

/** What a stream may have on the way unread, at first and at most; it grows while the reader keeps up. In bytes. */
export const FIRST_WINDOW_BYTES = 1024 * 1024;
const MAX_WINDOW_BYTES = 6 * 1024 * 1024;
/** Most bytes of a stream that one frame carries; ours carry less. */
export const MAX_FRAME_BYTES = 65 * 1024;
/** Streams that we may have open to one peer; how many it takes is its own choice. */
export const MAX_OUTBOUND_STREAMS = 1024;

export interface MuxOptions {
  /** The side that dialled the connection. */
  readonly isInitiator: boolean;
  /** Streams of the peer at a time; more are refused, each by itself. */
  readonly maxInboundStreams: number;
  /** Takes bytes to be sent, always: whoever sends on a stream asks for room before, and what the multiplexer answers by itself is little. */
  readonly send: (chunks: readonly Uint8Array[]) => void;
  readonly onStream: (stream: MuxStream) => void;
}

export type MuxStream = Awaited<ReturnType<ReturnType<typeof createMuxer>['createStream']>>;

/** Streams over the ordered bytes of one connection. */
export interface Mux {
  /** @throws LatentError NOT_ALLOWED (too many are open); the multiplexer's error when the connection is over */
  open(): Promise<MuxStream>;
  /** @throws LatentError MESSAGE_TOO_LARGE, or the multiplexer's error for bytes that break its rules */
  receive(bytes: Uint8Array): void;
  /** Streams that are open, of both sides. */
  readonly streams: number;
  /** Measures the round trip, by which windows grow. */
  measure(): void;
  /** Breaks all streams. */
  abort(error: Error): void;
}

/**
 * Multiplexing is yamux (the specification: github.com/hashicorp/yamux), by libp2p's implementation: a window for each stream, so that
 * one slow reader holds up nobody else.
 */
export function createMux(options: MuxOptions): Mux {
  const limit = new MuxLimit(MAX_FRAME_BYTES);
  const carrier = new Carrier(options);
  const muxer = createMuxer(carrier, options.maxInboundStreams);
  let failure: Error | undefined;
  muxer.addEventListener('stream', ({ detail }) => options.onStream(detail));
  // What breaks the rules ends the carrier from within.
  carrier.addEventListener('close', ({ error }) => {
    failure ??= error ?? new LatentError('STREAM_CLOSED', 'The connection to the peer has ended.');
  });
  return {
    open: async () => {
      if (muxer.streams.length >= MAX_OUTBOUND_STREAMS) {
        const text = `${MAX_OUTBOUND_STREAMS} streams to the peer are open, which is the most.`;
        throw new LatentError('NOT_ALLOWED', text, { retry: 'later' });
      }
      return await muxer.createStream();
    },
    receive: (bytes) => {
      limit.check(bytes);
      carrier.onData(bytes);
      // A peer that wants no more streams wants no more connection: there is nothing else on it.
      if (muxer.status !== 'open') failure ??= new LatentError('STREAM_CLOSED', 'The peer ended the multiplexing.');
      if (failure !== undefined) throw failure;
    },
    get streams() {
      return muxer.streams.length;
    },
    measure: () => void muxer.ping().catch(() => undefined),
    abort: (error) => {
      failure ??= error;
      for (const stream of [...muxer.streams]) stream.abort(error);
      carrier.abort(error);
    },
  };
}

function createMuxer(carrier: Carrier, maxInboundStreams: number) {
  return yamux({
    // Paths have a heartbeat of their own.
    enableKeepAlive: false,
    maxInboundStreams,
    maxOutboundStreams: MAX_OUTBOUND_STREAMS,
    streamOptions: {
      initialStreamWindowSize: FIRST_WINDOW_BYTES,
      maxStreamWindowSize: MAX_WINDOW_BYTES,
    },
  })().createStreamMuxer(carrier);
}

/** What the multiplexer takes for its socket. */
class Carrier extends AbstractMessageStream {
  readonly #send: MuxOptions['send'];

  constructor({ isInitiator, send }: MuxOptions) {
    super({ log: silentLog, direction: isInitiator ? 'outbound' : 'inbound' });
    this.#send = send;
  }

  sendData(data: Uint8ArrayList): SendResult {
    const sentBytes = data.byteLength;
    this.#send([...data]);
    return { sentBytes, canSendMore: true };
  }

  sendReset(): void {}
  sendPause(): void {}
  sendResume(): void {}

  async close(): Promise<void> {
    this.onTransportClosed();
  }
}

const silent = () => undefined;
const silentLog: Logger = Object.assign(silent, {
  error: silent,
  trace: silent,
  enabled: false,
  newScope: () => silentLog,
});
