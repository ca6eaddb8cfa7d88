import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { callMethod } from './call-method.ts';
import { defineMethod } from './define-method.ts';
import { handleCall } from './handle-method.ts';
import { double, failureOf, handleDouble, serve, within } from './served-methods.fixture.ts';
import { MAX_PAYLOAD_BYTES } from './wire-message.ts';

describe('calls', () => {
  test('a call carries big integers there and back', async () => {
    const { client, peer } = await serve([handleDouble]);
    const amount = 2n ** 90n + 1n;
    expect(await callMethod(client, peer, double, { amount }, within())).toEqual({ doubled: amount * 2n });
  });

  test('a hundred calls at once each get their own answer', async () => {
    const { client, peer } = await serve([handleDouble], { maxCallsPerPeer: 100 });
    const amounts = Array.from({ length: 100 }, (_, index) => BigInt(index));
    const answers = await Promise.all(amounts.map((amount) => callMethod(client, peer, double, { amount }, within())));
    expect(answers.map((answer) => answer.doubled)).toEqual(amounts.map((amount) => amount * 2n));
  });

  test('the handler learns the key that the caller proved', async () => {
    let seen: string | undefined;
    const { client, peer } = await serve([
      handleCall(double, async ({ amount }, { remoteKey }) => {
        seen = remoteKey;
        return { doubled: amount };
      }),
    ]);
    await callMethod(client, peer, double, { amount: 1n }, within());
    expect(seen).toBe(client.key);
  });

  test('an unknown method is refused by its name', async () => {
    const { client, peer } = await serve([]);
    const failure = await failureOf(callMethod(client, peer, double, { amount: 1n }, within()));
    expect(failure.code).toBe('METHOD_UNKNOWN');
    expect(failure.details).toEqual({ method: 'double' });
  });

  test('params that do not fit are refused, naming the field', async () => {
    const { client, peer } = await serve([handleDouble]);
    const loose = defineMethod({ ...double, params: z.object({ amount: z.string() }) });
    const failure = await failureOf(callMethod(client, peer, loose, { amount: 'much' }, within()));
    expect(failure.code).toBe('MESSAGE_INVALID');
    expect(failure.details).toEqual({ field: 'params.amount' });
  });

  test('a result that does not fit is refused by the caller, naming the field', async () => {
    const { client, peer } = await serve([handleDouble]);
    const strict = defineMethod({ ...double, result: z.object({ doubled: z.object({ units: z.string() }) }) });
    const failure = await failureOf(callMethod(client, peer, strict, { amount: 1n }, within()));
    expect(failure.code).toBe('MESSAGE_INVALID');
    expect(failure.details).toEqual({ field: 'double result.doubled' });
  });

  test('params beyond a message are refused before anything is sent', async () => {
    const { client, peer } = await serve([]);
    const big = defineMethod({ name: 'big', kind: 'call', params: z.string(), result: z.null() });
    const failure = await failureOf(callMethod(client, peer, big, 'x'.repeat(MAX_PAYLOAD_BYTES), within()));
    expect(failure.code).toBe('MESSAGE_TOO_LARGE');
  });
});
