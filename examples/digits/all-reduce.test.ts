import { connect, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectRing, type Ring, type RingOptions } from './all-reduce.ts';
import { PeerError } from './peer-link.ts';
import { freePort, loopbackAddresses } from './ring-ports.fixture.ts';

async function optionsFor(ranks: number): Promise<RingOptions[]> {
  const port = await freePort();
  const addresses = loopbackAddresses(ranks);
  return addresses.map((_, rank) => ({
    rank,
    addresses,
    port,
    runId: 'test',
    connectTimeoutMs: 20_000,
    stallTimeoutMs: 20_000,
  }));
}

async function connectAll(options: readonly RingOptions[]): Promise<Ring[]> {
  return Promise.all(options.map((one) => connectRing(one)));
}

describe('a ring', () => {
  test.each([1, 2, 3, 4, 5])('of %i ranks sums any vectors, the same bits on each rank', async (ranks) => {
    const rings = await connectAll(await optionsFor(ranks));
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const vectors = fc
      .nat(40)
      .chain((length) =>
        fc.array(fc.array(number, { minLength: length, maxLength: length }), { minLength: ranks, maxLength: ranks }),
      );
    await fc.assert(
      fc.asyncProperty(vectors, async (inputs) => {
        const outputs = inputs.map((input) => Float64Array.from(input));
        await Promise.all(rings.map((ring, rank) => ring.allReduce(outputs[rank]!)));
        for (const output of outputs) expect(output).toEqual(outputs[0]);
        inputs[0]!.forEach((_, index) => {
          const sum = inputs.reduce((total, input) => total + input[index]!, 0);
          expect(outputs[0]![index]).toBeCloseTo(sum, 6);
        });
      }),
      { numRuns: 50 },
    );
    for (const ring of rings) ring.close();
  });

  test('waits for ranks that come up late', async () => {
    const [first, second, third] = await optionsFor(3);
    const early = connectAll([first!, second!]);
    const late = connectRing(third!);
    const rings = [...(await early), await late];
    const vectors = rings.map(() => Float64Array.of(1, 2));
    await Promise.all(rings.map((ring, rank) => ring.allReduce(vectors[rank]!)));
    expect(vectors[2]).toEqual(Float64Array.of(3, 6));
    for (const ring of rings) ring.close();
  });

  test('drops strangers and ranks of other runs, and goes on', async () => {
    const options = await optionsFor(2);
    const stranger = connect({ host: '127.0.0.1', port: options[0]!.port });
    stranger.on('error', () => stranger.destroy()); // nobody listens yet, or it is dropped
    const otherRun = connectRing({
      ...options[1]!,
      runId: 'other',
      addresses: ['127.0.0.1', '127.0.0.9'],
      connectTimeoutMs: 300,
    });
    const rejected = expect(otherRun).rejects.toThrow(PeerError);
    const rings = await connectAll(options);
    const intruder = connect({ host: '127.0.0.1', port: options[0]!.port });
    intruder.on('error', () => intruder.destroy());
    intruder.write('GET / HTTP/1.1\r\n\r\n');
    const vectors = [Float64Array.of(1), Float64Array.of(2)];
    await Promise.all(rings.map((ring, rank) => ring.allReduce(vectors[rank]!)));
    expect(vectors[0]).toEqual(Float64Array.of(3));
    await rejected;
    for (const ring of rings) ring.close();
    stranger.destroy();
    intruder.destroy();
  });

  test('names the rank that does not come up', async () => {
    const [first] = await optionsFor(2);
    await expect(connectRing({ ...first!, connectTimeoutMs: 200 })).rejects.toThrow(
      /rank 1 \(127\.0\.0\.2\).*ECONNREFUSED/,
    );
  });

  test('says that its address is taken', async () => {
    const [first] = await optionsFor(2);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(first!.port, '127.0.0.1', resolve));
    await expect(connectRing({ ...first!, connectTimeoutMs: 5000 })).rejects.toThrow(/cannot listen on 127\.0\.0\.1/);
    server.close();
  });

  test('fails on all ranks when one ends early, also on those that are not its neighbours', async () => {
    const rings = await connectAll(await optionsFor(5));
    const waiting = [0, 1, 3, 4].map((rank) =>
      expect(rings[rank]!.allReduce(new Float64Array(10))).rejects.toThrow(PeerError),
    );
    rings[2]!.close();
    await Promise.all(waiting);
  });

  test('fails when a peer stays silent', async () => {
    const options = await optionsFor(3);
    const rings = await connectAll(options.map((one) => ({ ...one, stallTimeoutMs: 100 })));
    const results = await Promise.allSettled([0, 1].map((rank) => rings[rank]!.allReduce(new Float64Array(10))));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(results.map((result) => String(result.status === 'rejected' && result.reason)).join()).toContain(
      'lost rank 2 (127.0.0.3): it sent nothing for 0.1 s',
    );
  });

  test('fails when the vectors are of different lengths', async () => {
    const rings = await connectAll(await optionsFor(2));
    const results = await Promise.allSettled([
      rings[0]!.allReduce(new Float64Array(10)),
      rings[1]!.allReduce(new Float64Array(20)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
