import { LatentError } from '@latent/protocol';
import type { Logger } from '@libp2p/interface';
import { AbstractMessageStream, type SendResult } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import type { Uint8ArrayList } from 'uint8arraylist';
import { MuxLimit } from './mux-limit.ts';

/** What a stream may have on the way unread, at first and at most; it grows while the reader keeps up. In bytes. */
const FIRST_WINDOW_BYTES = 256 * 1024;
export const MAX_WINDOW_BYTES = 4 * 1024 * 1024;

export interface MuxOptions {
  /** The side that dialled the connection. */
  readonly isInitiator: boolean;
  /** Streams of the peer at a time; more are refused, each by itself. */
  readonly maxInboundStreams: number;
  /** Sends bytes; false: no more before `drained`. */
  readonly send: (chunks: readonly Uint8Array[]) => boolean;
  readonly onStream: (stream: MuxStream) => void;
}

export type MuxStream = Awaited<ReturnType<ReturnType<typeof createMuxer>['createStream']>>;

/** Streams over the ordered bytes of one connection. */
export interface Mux {
  /** @throws the multiplexer's error when the connection is over */
  open(): Promise<MuxStream>;
  /** @throws LatentError MESSAGE_TOO_LARGE, or the multiplexer's error for bytes that break its rules */
  receive(bytes: Uint8Array): void;
  drained(): void;
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
  const limit = new MuxLimit(MAX_WINDOW_BYTES);
  const carrier = new Carrier(options);
  const muxer = createMuxer(carrier, options.maxInboundStreams);
  let failure: Error | undefined;
  muxer.addEventListener('stream', ({ detail }) => options.onStream(detail));
  // What breaks the rules ends the carrier from within.
  carrier.addEventListener('close', ({ error }) => {
    failure ??= error ?? new LatentError('STREAM_CLOSED', 'The connection to the peer has ended.');
  });
  return {
    open: () => muxer.createStream(),
    receive: (bytes) => {
      limit.check(bytes);
      carrier.onData(bytes);
      if (failure !== undefined) throw failure;
    },
    drained: () => carrier.drained(),
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
    maxOutboundStreams: 4096,
    streamOptions: {
      initialStreamWindowSize: FIRST_WINDOW_BYTES,
      maxStreamWindowSize: MAX_WINDOW_BYTES,
      // A paused reader is sent a window at most.
      maxReadBufferLength: 2 * MAX_WINDOW_BYTES,
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
    return { sentBytes: data.byteLength, canSendMore: this.#send([...data]) };
  }

  drained(): void {
    this.safeDispatchEvent('drain');
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
