import { expect } from 'vitest';
import { MAX_DATAGRAM_BYTES } from '../connection/datagrams.ts';
import { collect, failureOf, toBytes, toText } from '../loopback.fixture.ts';
import type { EncryptedStream } from '../transport.ts';
import { openEcho, openPair, sendOn } from './bench.ts';
import type { Run, TransportSuite } from './suite.ts';

export function describeDatagrams({ open }: TransportSuite, run: Run): void {
  /** They may be lost: sent again until one has come. */
  async function sendUntil(
    from: EncryptedStream,
    bytes: Uint8Array,
    arrived: Promise<unknown>,
    trips: () => Promise<void>,
  ) {
    let isThere = false;
    void arrived.then(() => {
      isThere = true;
    });
    while (!isThere) {
      from.sendDatagram(bytes);
      await trips();
    }
  }

  run('datagrams arrive at their own stream, unchanged', async () => {
    const bench = await open();
    const clock = await openEcho(bench);
    const [first, second] = [await openPair(bench), await openPair(bench)];
    const heard: string[] = [];
    const both = Promise.withResolvers<void>();
    const listen = (name: string, stream: EncryptedStream) =>
      stream.onDatagram((bytes) => {
        heard.push(`${name}: ${toText(bytes)}`);
        if (new Set(heard).size === 3) both.resolve();
      });
    listen('first far', first.far);
    listen('second far', second.far);
    listen('second near', second.near);
    await sendUntil(first.near, toBytes('to the first'), both.promise, async () => {
      second.near.sendDatagram(toBytes('to the second'));
      second.far.sendDatagram(toBytes('and back'));
      await clock.trips(1);
    });
    const expected = ['first far: to the first', 'second far: to the second', 'second near: and back'];
    expect([...new Set(heard)].sort()).toEqual(expected);
  });

  run('a datagram that is too long, or behind the end, is refused', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    expect(near.sendDatagram(new Uint8Array(MAX_DATAGRAM_BYTES + 1))).toBe(false);
    const arrived = Promise.withResolvers<Uint8Array>();
    far.onDatagram(arrived.resolve);
    await sendUntil(near, new Uint8Array(MAX_DATAGRAM_BYTES).fill(5), arrived.promise, (await openEcho(bench)).trips);
    expect(await arrived.promise).toEqual(new Uint8Array(MAX_DATAGRAM_BYTES).fill(5));
    await near.end();
    expect(near.sendDatagram(new Uint8Array(1))).toBe(false);
    far.destroy();
    expect(far.sendDatagram(new Uint8Array(1))).toBe(false);
  });

  run('datagrams do not wait behind a reader that reads nothing', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    const sending = failureOf(sendOn(near).done);
    const clock = await openEcho(bench);
    const arrived = Promise.withResolvers<Uint8Array>();
    far.onDatagram(arrived.resolve);
    await sendUntil(near, toBytes('now'), arrived.promise, clock.trips);
    near.destroy();
    await sending;
  });

  run('nothing that is sent can be read on the way', async () => {
    const bench = await open();
    const { near, far } = await openPair(bench);
    const secret = 'the hidden word is swordfish';
    const arrived = Promise.withResolvers<Uint8Array>();
    far.onDatagram(arrived.resolve);
    await near.send(toBytes(secret));
    await near.end();
    expect((await collect(far)).map(toText)).toEqual([secret]);
    const other = await openPair(bench);
    other.far.onDatagram(arrived.resolve);
    await sendUntil(other.near, toBytes(secret), arrived.promise, (await openEcho(bench)).trips);
    const seen = Buffer.concat(bench.between?.seen ?? []);
    expect(seen.byteLength).toBeGreaterThan(2 * secret.length);
    expect(seen.includes(secret)).toBe(false);
    expect(seen.includes('swordfish')).toBe(false);
  });
}
