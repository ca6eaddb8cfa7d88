import { type ErrorCode, LatentError } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { EncryptedStream } from '../transport.ts';
import { callMethod } from './call-method.ts';
import { defineMethod } from './define-method.ts';
import { handleCall, handleStream } from './handle-method.ts';
import { openMethod } from './open-method.ts';
import {
  double,
  echo,
  failureOf,
  handleDouble,
  handleEcho,
  type Served,
  serve,
  within,
} from './served-methods.fixture.ts';
import { decodeMessage, encodeBytes, encodeJson } from './wire-message.ts';

/** A stream on which nothing was said yet. */
async function bareStream({ client, peer }: Served): Promise<EncryptedStream> {
  return await client.connect(peer, { signal: new AbortController().signal });
}

/** What the peer answers to raw messages, until it ends. */
async function answersTo(served: Served, ...messages: readonly Uint8Array[]): Promise<unknown[]> {
  const stream = await bareStream(served);
  for (const message of messages) await stream.send(message);
  await stream.end();
  const answers: unknown[] = [];
  for await (const answer of stream.messages()) answers.push(decodeMessage(answer));
  return answers;
}

const refusal = (code: ErrorCode) => ({
  kind: 'json',
  value: { ok: false, error: expect.objectContaining({ code }) as unknown },
});

describe('handlers that throw', () => {
  function throwing(thrown: unknown) {
    return handleCall(double, async () => {
      throw thrown;
    });
  }

  test('an error of Latent reaches the caller whole, but for its cause', async () => {
    const error = new LatentError('HOLD_REFUSED', 'Taken.', {
      hint: 'Ask another agent.',
      retry: 'now',
      details: { free: 0n },
      cause: new Error('secret path'),
    });
    const { client, peer, defects } = await serve([throwing(error)]);
    const failure = await failureOf(callMethod(client, peer, double, { amount: 1n }, within()));
    expect(failure.toBody()).toEqual(error.toBody());
    expect(JSON.stringify(failure)).not.toContain('secret');
    expect(defects).toEqual([]);
  });

  test.each([
    ['an error', new Error('secret: /home/operator/key')],
    ['an internal error of Latent', new LatentError('INTERNAL', 'secret: /home/operator/key')],
    ['no error at all', 'secret: /home/operator/key'],
  ])('%s becomes INTERNAL without its text, and is reported', async (_name, thrown) => {
    const { client, peer, defects } = await serve([throwing(thrown)]);
    const failure = await failureOf(callMethod(client, peer, double, { amount: 1n }, within()));
    expect(failure.code).toBe('INTERNAL');
    expect(JSON.stringify(failure.toBody())).not.toContain('secret');
    expect(defects).toEqual([{ method: 'double', remoteKey: client.key, error: thrown }]);
  });

  test('details too long to travel are cut', async () => {
    const error = new LatentError('DRIVER_FAILED', 'It said too much.', { details: { output: 'x'.repeat(5000) } });
    const { client, peer } = await serve([throwing(error)]);
    const failure = await failureOf(callMethod(client, peer, double, { amount: 1n }, within()));
    expect([failure.code, failure.details]).toEqual(['DRIVER_FAILED', { output: 'x'.repeat(2000) }]);
  });

  test('a result that JSON cannot carry is a refusal, not a hang', async () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const anything = defineMethod({ name: 'anything', kind: 'call', params: z.null(), result: z.unknown() });
    const { client, peer } = await serve([handleCall(anything, async () => loop)]);
    expect((await failureOf(callMethod(client, peer, anything, null, within()))).code).toBe('MESSAGE_INVALID');
  });

  test('in the midst of a stream the caller gets the messages before, then the reason', async () => {
    const { client, peer } = await serve([
      handleStream(echo, async () => ({
        result: { hello: 'you' },
        run: async (channel) => {
          await channel.sendBytes(new Uint8Array([1]));
          throw new LatentError('VOUCHER_STOPPED', 'No voucher for 60 s.');
        },
      })),
    ]);
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
    expect(await channel.receive()).toEqual({ kind: 'bytes', bytes: new Uint8Array([1]) });
    const failure = await failureOf(channel.receive());
    expect([failure.code, failure.message]).toEqual(['VOUCHER_STOPPED', 'No voucher for 60 s.']);
    channel.destroy();
  });
});

describe('callers that go away', () => {
  function waitingHandler() {
    const started = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const handler = handleCall(double, async (_params, { signal }) => {
      signal.addEventListener('abort', () => stopped.resolve());
      started.resolve();
      await stopped.promise;
      throw signal.reason;
    });
    return { handler, started: started.promise, stopped: stopped.promise };
  }

  test('an abort stops the handler, and is no defect', async () => {
    const { handler, started, stopped } = waitingHandler();
    const { client, peer, defects } = await serve([handler]);
    const controller = new AbortController();
    const options = { signal: controller.signal, timeoutMs: 20_000 };
    const failure = failureOf(callMethod(client, peer, double, { amount: 1n }, options));
    await started;
    controller.abort();
    expect((await failure).code).toBe('CANCELLED');
    await stopped;
    expect(defects).toEqual([]);
  });

  test('an answer that does not come in time is TIMED_OUT, naming the method', async () => {
    const { handler, stopped } = waitingHandler();
    const { client, peer } = await serve([handler]);
    const failure = await failureOf(callMethod(client, peer, double, { amount: 1n }, within(100)));
    expect([failure.code, failure.message]).toEqual(['TIMED_OUT', 'double: no answer within 100 ms.']);
    await stopped;
  });

  test('an abort after the first answer drops the stream', async () => {
    const { client, peer } = await serve([handleEcho]);
    const controller = new AbortController();
    const options = { signal: controller.signal, timeoutMs: 20_000 };
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, options);
    controller.abort();
    await channel.closed;
    expect((await failureOf(channel.receive())).code).toBe('STREAM_CLOSED');
  });

  test('closing the server stops handlers and drops their callers', async () => {
    const { handler, started, stopped } = waitingHandler();
    const { client, peer, methods } = await serve([handler]);
    const failure = failureOf(callMethod(client, peer, double, { amount: 1n }, within()));
    await started;
    await Promise.all([methods.close(), stopped]);
    expect((await failure).code).toBe('STREAM_CLOSED');
  });
});

describe('hostile callers', () => {
  const json = (text: string) => new Uint8Array([0, ...new TextEncoder().encode(text)]);

  test.each([
    ['JSON that is none', json('{"method":')],
    ['text that is not UTF-8', new Uint8Array([0, 0x22, 0xff, 0x22])],
    ['an unknown tag', new Uint8Array([9, 1, 2])],
    ['an empty message', new Uint8Array()],
    ['bytes where the request belongs', encodeBytes(new Uint8Array(10))],
    ['a request without a method', encodeJson({ params: {} })],
    ['a method name beyond the limit', encodeJson({ method: 'x'.repeat(65), params: {} })],
    ['a list', encodeJson([])],
    ['nesting without end', json('['.repeat(100_000))],
    ['an error that is none', new Uint8Array([2, ...new TextEncoder().encode('{}')])],
    ['a prototype in the params', json('{"method":"double","params":{"__proto__":{"amount":"1"}}}')],
  ])('%s is refused with MESSAGE_INVALID', async (_name, message) => {
    const served = await serve([handleDouble]);
    expect(await answersTo(served, message)).toEqual([refusal('MESSAGE_INVALID')]);
    expect(served.defects).toEqual([]);
  });

  test('a name that every object has is no method', async () => {
    const served = await serve([handleDouble]);
    const request = encodeJson({ method: 'constructor', params: {} });
    expect(await answersTo(served, request)).toEqual([refusal('METHOD_UNKNOWN')]);
  });

  test('a caller that says nothing is dropped at the time limit', async () => {
    const stream = await bareStream(await serve([handleDouble], { requestTimeoutMs: 50 }));
    await stream.closed;
  });

  test('an end without a request is answered, not awaited', async () => {
    expect(await answersTo(await serve([handleDouble]))).toEqual([refusal('MESSAGE_INVALID')]);
  });

  test('calls beyond the limit of one peer are refused for now, and room comes back', async () => {
    const served = await serve([handleDouble], { maxCallsPerPeer: 1 });
    const first = await bareStream(served);
    // The first stream counts once the peer has taken it: its answer shows that.
    await first.send(encodeJson({ method: 'double', params: { amount: '1' } }));
    const messages = first.messages()[Symbol.asyncIterator]();
    await messages.next();
    const { client, peer } = served;
    const failure = await failureOf(callMethod(client, peer, double, { amount: 1n }, within()));
    expect([failure.code, failure.retry]).toEqual(['NOT_ALLOWED', 'later']);
    await messages.next();
    await first.end();
    await Promise.all(served.streams.map((stream) => stream.closed));
    expect(await callMethod(client, peer, double, { amount: 1n }, within())).toEqual({ doubled: 2n });
  });
});
