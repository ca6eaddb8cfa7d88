import type { TestFunction } from 'vitest';
import type { Accepted } from '../loopback.fixture.ts';
import type { Route } from '../paths/path.ts';
import type { Listener, Transport } from '../transport.ts';

/** Two transports; `near` dials, `far` listens. All is closed after the test. */
export interface TransportBench {
  readonly near: Transport;
  readonly far: Transport;
  readonly listener: Listener;
  readonly accepted: Accepted;
  /** By which `near` is to find `far`. */
  readonly hints: readonly string[];
  /** What lies between the two. */
  readonly between: Between | undefined;
}

export interface Between {
  /** What passed so far, as it was on the way. */
  readonly seen: readonly Uint8Array[];
  /** From now on nothing passes; closed politely, if that is possible. */
  cut(): Promise<void>;
}

export interface BenchOptions {
  /** For one attempt to connect; the transport's own default if it is missing. */
  readonly handshakeTimeoutMs?: number;
}

export interface TransportSuite {
  readonly name: string;
  readonly open: (options?: BenchOptions) => Promise<TransportBench>;
  readonly route: Route['kind'];
  /** More than a sender gets ahead of its reader: windows, and what the systems between keep. A multiple of MAX_MESSAGE_BYTES. */
  readonly bufferedBytes: number;
  /** Well-formed hints where nobody answers. */
  readonly openNowhere: () => Promise<readonly string[]>;
  /** Tests that do not apply, and why. */
  readonly skip: readonly { readonly test: ConformanceTest; readonly reason: string }[];
}

export const conformanceTests = [
  'each side learns the key of the other, and the way',
  'any sequence of messages arrives unchanged and in order, both ways at once',
  'sends that are not awaited keep their order, and an end after them comes last',
  'a message of the largest size passes; one byte more is refused and the stream stays whole',
  'a message that was sent may be written to: the peer has the bytes of before',
  'after one side has ended the other may go on',
  'an end may be asked for twice',
  'what was sent before both sides ended reaches a reader who starts late',
  '200 streams run beside each other',
  'a reader that reads nothing stops the sender, and loses nothing',
  'a sender is never far ahead of a reader that lags',
  'a reader that reads nothing holds up no other stream',
  'a busy stream leaves the others their turn',
  'a send that waits for room fails when the peer drops the stream',
  'a destroyed stream breaks on the other side, after the messages that were before',
  'leaving the loop over the messages destroys the stream, also behind the end',
  'the messages of a stream can be iterated only once',
  'a stream that is cut never looks like one that ended',
  'an unread end is one only with all that came before it, even if the peer is gone',
  'what both sides ended is all there, though a transport is closed at once',
  'closing the transport drops dialled streams, closing the listener accepted ones',
  'a transport is closed twice, and connects no more',
  'after its listener was closed a transport can listen again',
  'another key at the hint is named, and hears of no stream',
  'nobody at the hint: unreachable',
  'no hint, or only hints of other transports: unreachable',
  'hints that are garbage, unknown or lead to nobody do not hide the one that is right',
  'an abort before or while connecting ends it at once, with its own code',
  'datagrams arrive at their own stream, unchanged',
  'a datagram that is too long, or behind the end, is refused',
  'datagrams do not wait behind a reader that reads nothing',
  'nothing that is sent can be read on the way',
] as const;
export type ConformanceTest = (typeof conformanceTests)[number];

/** Declares one test of the suite. What is opened in it is closed after it. */
export type Run = (name: ConformanceTest, body: TestFunction) => void;
