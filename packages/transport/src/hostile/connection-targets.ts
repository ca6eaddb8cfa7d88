import { peerKeySchema } from '@latent/protocol';
import { acceptPath, presentPath } from '../connection/attach-path.ts';
import { Connection } from '../connection/connection.ts';
import { createMux, MAX_FRAME_BYTES } from '../connection/mux.ts';
import type { MuxedStream } from '../connection/muxed-stream.ts';
import { encodeAttach, encodeAttached } from '../connection/path-message.ts';
import { expectBound, type Fuzzed, type FuzzTarget } from './fuzz-target.ts';
import { MemoryPath } from './memory-path.ts';
import { pathMessages } from './packet-targets.ts';
import { type Samples, toSamples } from './spoil-bytes.ts';

const KEY = peerKeySchema.parse(`0x${'ab'.repeat(32)}`);
const ID = 'cd'.repeat(16);
const MOST_STREAMS = 16;
/** What a connection may hold for a peer that acknowledges nothing, and some more for what is on its way. */
const MOST_HELD_BYTES = 16 * 1024 * 1024;
const times = { pathTimeoutMs: 60_000, quietMs: 60_000, resumeMs: 60_000 };

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly length: number;
}

function frame({ type, flags, streamId, length }: Frame, payload = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(12 + payload.byteLength);
  const view = new DataView(bytes.buffer);
  bytes[1] = type;
  view.setUint16(2, flags);
  view.setUint32(4, streamId);
  view.setUint32(8, length);
  bytes.set(payload, 12);
  return bytes;
}

const frames: Samples = [
  frame({ type: 1, flags: 1, streamId: 1, length: 0 }),
  frame({ type: 1, flags: 1, streamId: 3, length: 0 }),
  frame({ type: 1, flags: 0, streamId: 1, length: 262_144 }),
  frame({ type: 0, flags: 0, streamId: 1, length: 9 }, Uint8Array.of(0, 0, 0, 5, 1, 2, 3, 4, 5)),
  frame({ type: 0, flags: 1, streamId: 5, length: 3 }, Uint8Array.of(0, 0, 0)),
  frame({ type: 0, flags: 4, streamId: 1, length: 0 }),
  frame({ type: 0, flags: 8, streamId: 3, length: 0 }),
  frame({ type: 2, flags: 1, streamId: 0, length: 77 }),
  frame({ type: 2, flags: 2, streamId: 0, length: 0 }),
  frame({ type: 3, flags: 0, streamId: 0, length: 0 }),
  frame({ type: 0, flags: 0, streamId: 1, length: MAX_FRAME_BYTES }, new Uint8Array(MAX_FRAME_BYTES)),
];
/** As data of a connection. */
const dataMessages = frames.map((one) => Uint8Array.of(0, ...one));

/** Reads streams and answers on them, as somebody does who serves. */
async function serve(stream: MuxedStream): Promise<void> {
  try {
    for await (const message of stream.messages()) await stream.send(message.subarray(0, 1_000));
    await stream.end();
  } catch {
    // Hostile streams break: that is the peer's own loss.
  }
}

function connectionOf(isInitiator: boolean): Connection {
  return new Connection({
    remoteKey: KEY,
    id: ID,
    isInitiator,
    maxInboundStreams: MOST_STREAMS,
    times,
    onStream: (stream) => void serve(stream),
    onPathLost: () => undefined,
    onEnded: () => undefined,
  });
}

function fuzzedConnection(connection: Connection, path: MemoryPath): Fuzzed {
  return {
    feed: async (input) => {
      path.feed(input);
      path.feedUnordered(input);
      // Who reads the streams gets his turn.
      await Promise.resolve();
      expectBound('streams', connection.streams, MOST_STREAMS);
      expectBound('held bytes', connection.heldBytes, MOST_HELD_BYTES);
      return path.isOver || connection.failure !== undefined ? 'over' : 'taken';
    },
    close: () => {
      connection.end({ code: 'CANCELLED', message: 'over' });
      path.destroy();
    },
  };
}

export const connectionTargets: readonly FuzzTarget[] = [
  {
    name: 'multiplexing',
    samples: frames,
    share: 50_000,
    open: () => {
      let sentBytes = 0;
      const mux = createMux({
        isInitiator: false,
        maxInboundStreams: MOST_STREAMS,
        send: (chunks) => {
          sentBytes += chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
        },
        onStream: () => undefined,
      });
      return {
        feed: (input) => {
          const before = sentBytes;
          try {
            mux.receive(input);
          } catch (thrown) {
            // Bytes against its rules end it, with errors of its own.
            if (thrown instanceof TypeError || thrown instanceof RangeError) throw thrown;
            return 'over';
          }
          expectBound('streams', mux.streams, MOST_STREAMS);
          expectBound('bytes sent back', sentBytes - before, 12 + 2 * input.byteLength);
          return 'taken';
        },
        close: () => mux.abort(new Error('over')),
      };
    },
  },
  {
    name: 'connections, accepting',
    samples: toSamples([...pathMessages, ...dataMessages]),
    share: 30_000,
    open: (dice) => {
      const connection = connectionOf(false);
      const path = new MemoryPath(KEY);
      acceptPath(path, { find: () => connection, onSettled: () => undefined });
      if (dice.below(8) > 0) path.feed(encodeAttach({ id: ID, generation: 1, isNew: true, received: 0 }));
      return fuzzedConnection(connection, path);
    },
  },
  {
    name: 'connections, dialling',
    samples: toSamples([...pathMessages, ...dataMessages]),
    share: 30_000,
    open: async (dice) => {
      const connection = connectionOf(true);
      const path = new MemoryPath(KEY);
      presentPath(connection, path, { generation: 1, isNew: true, timeoutMs: 60_000 });
      const stream = await connection.openStream();
      void serve(stream);
      stream.send(new Uint8Array(100)).catch(() => undefined);
      if (dice.below(8) > 0) path.feed(encodeAttached({ received: 0, from: 0 }));
      return fuzzedConnection(connection, path);
    },
  },
];
