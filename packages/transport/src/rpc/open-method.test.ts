import { LatentError, toLatentError } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { handleStream } from './handle-method.ts';
import type { ChannelMessage } from './method-channel.ts';
import { openMethod } from './open-method.ts';
import { collect, echo, failureOf, handleEcho, serve, within } from './served-methods.fixture.ts';
import { MAX_PAYLOAD_BYTES } from './wire-message.ts';

describe('streams', () => {
  test('any sequence of values and bytes comes back in order', async () => {
    const { client, peer } = await serve([handleEcho]);
    const message = fc.oneof(
      fc.record({ kind: fc.constant('json' as const), value: fc.jsonValue() }),
      fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 2000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20 }), async (messages) => {
        const { result, channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
        expect(result).toEqual({ hello: 'me' });
        const echoed = collect(channel);
        for (const sent of messages) {
          if (sent.kind === 'json') await channel.sendJson(sent.value);
          else await channel.sendBytes(sent.bytes);
        }
        await channel.end();
        const plain = (all: readonly ChannelMessage[]) =>
          all.map((each) => (each.kind === 'json' ? JSON.stringify(each.value) : [...each.bytes]));
        expect(plain(await echoed)).toEqual(plain(messages));
        await channel.closed;
      }),
      { numRuns: 30 },
    );
  });

  test('an error-shaped value is a value', async () => {
    const { client, peer } = await serve([handleEcho]);
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
    const value = { error: { code: 'INTERNAL', message: 'x', retry: 'never' } };
    await channel.sendJson(value);
    await channel.end();
    expect(await collect(channel)).toEqual([{ kind: 'json', value }]);
  });

  test('the largest bytes message passes, one byte more is refused', async () => {
    const { client, peer } = await serve([handleEcho]);
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
    await channel.sendBytes(new Uint8Array(MAX_PAYLOAD_BYTES));
    expect((await failureOf(channel.sendBytes(new Uint8Array(MAX_PAYLOAD_BYTES + 1)))).code).toBe('MESSAGE_TOO_LARGE');
    await channel.end();
    expect(await collect(channel)).toEqual([{ kind: 'bytes', bytes: new Uint8Array(MAX_PAYLOAD_BYTES) }]);
  });

  test('a caller that fails its side tells the handler why', async () => {
    const heard = Promise.withResolvers<unknown>();
    const { client, peer } = await serve([
      handleStream(echo, async () => ({
        result: { hello: '' },
        run: (channel) => collect(channel).then(() => undefined, heard.resolve),
      })),
    ]);
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
    await channel.fail(new LatentError('CANCELLED', 'The disk is full.'));
    expect(toLatentError(await heard.promise)).toMatchObject({ code: 'CANCELLED', message: 'The disk is full.' });
    expect(await collect(channel)).toEqual([]);
  });

  test('both sides may take the stream over behind the answer: messages pass as they are, and are not counted', async () => {
    const taken = handleStream(
      echo,
      async () => ({
        result: { hello: '' },
        run: async (channel) => {
          const stream = channel.takeOver();
          for await (const message of stream.messages()) await stream.send(message);
          await stream.end();
        },
      }),
      { maxReceivedBytes: 0 },
    );
    const { client, peer } = await serve([taken]);
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
    const stream = channel.takeOver();
    expect(stream.remoteKey).toBe(peer.key);
    const sent = [1, 0, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES].map((length, index) =>
      new Uint8Array(length).fill(index),
    );
    const got: Uint8Array[] = [];
    const reading = (async () => {
      for await (const message of stream.messages()) got.push(message);
    })();
    for (const message of sent) await stream.send(message);
    await stream.end();
    await reading;
    expect(got.map((message) => [message.length, message.at(-1)])).toEqual(
      sent.map((message) => [message.length, message.at(-1)]),
    );
    await stream.closed;
  });

  test('what a caller sends in all is limited, and the error says so', async () => {
    const { client, peer } = await serve([
      handleStream(
        echo,
        async () => ({ result: { hello: '' }, run: (channel) => collect(channel).then(() => undefined) }),
        { maxReceivedBytes: 1000 },
      ),
    ]);
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
    // The request left its own allowance almost unused; the limit is on top of it.
    for (let index = 0; index < 2; index += 1) await channel.sendBytes(new Uint8Array(200_000));
    expect((await failureOf(channel.receive())).code).toBe('MESSAGE_TOO_LARGE');
    channel.destroy();
  });

  test('what the peer sends in all can be limited by the caller', async () => {
    const { client, peer } = await serve([handleEcho]);
    const options = { ...within(), maxReceivedBytes: 500 };
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, options);
    await channel.sendBytes(new Uint8Array(1000));
    expect((await failureOf(channel.receive())).code).toBe('MESSAGE_TOO_LARGE');
    channel.destroy();
  });

  test('input that the handler does not read does not keep the call open', async () => {
    const { client, peer } = await serve([
      handleStream(echo, async () => ({ result: { hello: '' }, run: async () => {} }), {
        maxReceivedBytes: 10_000_000,
      }),
    ]);
    const { channel } = await openMethod(client, peer, echo, { from: 'me' }, within());
    for (let index = 0; index < 20; index += 1) await channel.sendBytes(new Uint8Array(100_000));
    await channel.end();
    expect(await collect(channel)).toEqual([]);
    await channel.closed;
  });
});
