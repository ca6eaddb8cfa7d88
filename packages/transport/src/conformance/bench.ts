import { expect } from 'vitest';
import { echo, never, type Pair, toBytes, toText } from '../loopback.fixture.ts';
import { type EncryptedStream, MAX_MESSAGE_BYTES } from '../transport.ts';
import type { TransportBench } from './suite.ts';

export async function openPair(bench: TransportBench): Promise<Pair> {
  const connecting = bench.near.connect({ key: bench.far.key, hints: bench.hints }, { signal: never() });
  const [near, far] = await Promise.all([connecting, bench.accepted.next()]);
  return { near, far };
}

/** A message goes there and back so often: time in which everything else had its chance. */
export async function roundTrips(
  stream: EncryptedStream,
  messages: AsyncIterator<Uint8Array>,
  count = 20,
): Promise<void> {
  for (let trip = 0; trip < count; trip += 1) {
    await stream.send(toBytes(`${trip}`));
    const { value } = await messages.next();
    expect(toText(value ?? new Uint8Array())).toBe(`${trip}`);
  }
}

/** A stream whose far end sends everything back. */
export async function openEcho(bench: TransportBench): Promise<{
  readonly trips: (count?: number) => Promise<void>;
  readonly closed: Promise<void>;
}> {
  const { near, far } = await openPair(bench);
  void echo(far);
  const messages = near.messages()[Symbol.asyncIterator]();
  return { trips: (count) => roundTrips(near, messages, count), closed: near.closed };
}

export const BULK = new Uint8Array(MAX_MESSAGE_BYTES);

/** Sends until it is stopped; counts what was taken. */
export function sendOn(stream: EncryptedStream, most = Number.POSITIVE_INFINITY) {
  const state = { sent: 0, isStopped: false };
  const done = (async () => {
    for (; state.sent < most && !state.isStopped; state.sent += 1) await stream.send(BULK);
  })();
  // Whoever wants to know asks.
  done.catch(() => undefined);
  return Object.assign(state, { done });
}
