import { type LatentError, toLatentError } from '@latent/protocol';
import { afterEach, expect } from 'vitest';
import { createKeyPair, type KeyPair } from './key-pair.ts';
import type { EncryptedStream, Listener, Transport } from './transport.ts';

/** What tests of streams on the loopback interface have in common. What is opened is closed after each test. */
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function afterwards(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup);
}

export function keyPairOf(byte: number): KeyPair {
  return createKeyPair(new Uint8Array(32).fill(byte));
}

/** Streams that a listener hands out, to be awaited one by one. */
export class Accepted {
  readonly #streams: EncryptedStream[] = [];
  readonly #waiting: ((stream: EncryptedStream) => void)[] = [];
  count = 0;

  readonly add = (stream: EncryptedStream): void => {
    this.count += 1;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#streams.push(stream);
    else waiting(stream);
  };

  next(): Promise<EncryptedStream> {
    const stream = this.#streams.shift();
    return stream === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(stream);
  }
}

export interface Listening {
  readonly listener: Listener;
  readonly accepted: Accepted;
}

/** Listens on the loopback interface, and waits until the transport can be found. */
export async function listenOn(transport: Transport): Promise<Listening> {
  const accepted = new Accepted();
  const listener = await transport.listen(accepted.add, { address: '127.0.0.1', port: 0 });
  await listener.settled;
  return { listener, accepted };
}

export interface Pair {
  readonly near: EncryptedStream;
  readonly far: EncryptedStream;
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

export async function collect(stream: EncryptedStream): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for await (const message of stream.messages()) messages.push(message);
  return messages;
}

/** Sends back whatever comes, until the peer ends. */
export async function echo(stream: EncryptedStream): Promise<void> {
  try {
    for await (const message of stream.messages()) await stream.send(message);
    await stream.end();
  } catch {
    // The test has dropped the stream.
  }
}

export async function failureOf(promise: Promise<unknown>): Promise<LatentError> {
  return await promise.then(
    () => expect.unreachable('it did not fail'),
    (thrown: unknown) => toLatentError(thrown),
  );
}

export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function toText(message: Uint8Array): string {
  return new TextDecoder().decode(message);
}
