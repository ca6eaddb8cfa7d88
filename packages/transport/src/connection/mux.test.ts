import { LatentError } from '@latent/protocol';
import { expect, test } from 'vitest';
import { failureOf } from '../loopback.fixture.ts';
import { muxFrame } from '../peer/raw-peer.fixture.ts';
import { createMux, MAX_FRAME_BYTES, MAX_OUTBOUND_STREAMS, type Mux, type MuxStream } from './mux.ts';

interface Opened {
  readonly mux: Mux;
  /** What it sent so far. */
  readonly sent: () => Buffer;
  readonly streams: MuxStream[];
}

function open(isInitiator: boolean, maxInboundStreams = 2): Opened {
  const sent: Uint8Array[] = [];
  const streams: MuxStream[] = [];
  const mux = createMux({
    isInitiator,
    maxInboundStreams,
    send: (chunks) => void sent.push(...chunks),
    onStream: (stream) => void streams.push(stream),
  });
  return { mux, sent: () => Buffer.concat(sent), streams };
}

const begin = (streamId: number) => muxFrame({ type: 1, flags: 1, streamId });
const RESET = 8;

test('streams beyond the limit are refused each by itself, and there is room again when one has gone', () => {
  const { mux, sent, streams } = open(false);
  for (const streamId of [1, 3, 5, 7]) mux.receive(begin(streamId));
  expect(streams.map(({ streamId }) => streamId)).toEqual([1, 3]);
  expect(mux.streams).toBe(2);
  expect(sent().equals(Buffer.concat([5, 7].map((streamId) => muxFrame({ type: 1, flags: RESET, streamId }))))).toBe(
    true,
  );
  mux.receive(muxFrame({ type: 1, flags: RESET, streamId: 1 }));
  mux.receive(begin(9));
  expect(streams.at(-1)?.streamId).toBe(9);
});

test('a dialler takes no streams', () => {
  const { mux, sent, streams } = open(true, 0);
  mux.receive(begin(2));
  expect(streams).toEqual([]);
  expect(sent().equals(Buffer.from(muxFrame({ type: 1, flags: RESET, streamId: 2 })))).toBe(true);
});

test('more streams than are good for a peer are not opened', async () => {
  const { mux } = open(true);
  for (let count = 0; count < MAX_OUTBOUND_STREAMS; count += 1) await mux.open();
  const failure = await failureOf(mux.open());
  expect([failure.code, failure.retry]).toEqual(['NOT_ALLOWED', 'later']);
  mux.abort(new LatentError('STREAM_CLOSED', 'over'));
});

test.each([
  ['another version of frames', muxFrame({ type: 1, streamId: 1 }).fill(1, 0, 1)],
  ['a kind of frame that there is not', muxFrame({ type: 9, streamId: 1 })],
  ['data on no stream', muxFrame({ type: 0 })],
  ['the answer to no ping', muxFrame({ type: 2, flags: 2, length: 3 })],
  ['a stream with a number of ours', begin(2)],
  ['a frame that is too long', muxFrame({ type: 0, streamId: 1, length: MAX_FRAME_BYTES + 1 })],
  ['an end of everything', muxFrame({ type: 3 })],
  ['an end of everything, by an error', muxFrame({ type: 3, length: 2 })],
])('%s breaks everything', (_name, frame) => {
  const { mux, streams } = open(false);
  mux.receive(begin(1));
  let cause: unknown;
  streams[0]?.addEventListener('close', ({ error }) => {
    cause = error ?? 'closed';
  });
  expect(() => mux.receive(frame)).toThrow();
  // As the connection does then.
  mux.abort(new LatentError('STREAM_CLOSED', 'over'));
  expect(cause).toBeDefined();
});
