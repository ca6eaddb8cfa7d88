import { decodeRelayFrame } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { RelayedBytes } from './relayed-bytes.ts';

const pattern = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) % 251);

describe('the bytes of a channel', () => {
  it.each([
    ['at once, as a browser does with room', (sent: () => void) => sent()],
    ['later, as Node does', (sent: () => void) => setImmediate(sent)],
  ])('leave whole and in order, in frames that a book takes, when each is taken %s', async (_when, take) => {
    const frames: Uint8Array[] = [];
    const bytes = new RelayedBytes({
      channel: 7,
      send: (frame, sent) => {
        frames.push(frame);
        take(sent);
      },
      onClosed: () => undefined,
    });
    const written = [1, 128 * 1024, 0, 128 * 1024 + 1, 500_000, 3].map(pattern);
    for (const chunk of written) bytes.write(chunk);
    bytes.resume();
    bytes.end();
    bytes.push(null);
    await new Promise<void>((resolve) => bytes.on('close', resolve));
    const decoded = frames.map(decodeRelayFrame);
    expect(decoded.map((frame) => frame?.channel)).toEqual(frames.map(() => 7));
    expect(Buffer.concat(decoded.map((frame) => frame?.payload ?? expect.unreachable('too long')))).toEqual(
      Buffer.concat(written),
    );
  });

  it('wait for what was written before, and then leave together, also when some is taken at once and some later', async () => {
    let number = 0;
    let payloadBytes = 0;
    let pending = 0;
    let most = 0;
    const bytes = new RelayedBytes({
      channel: 7,
      send: (frame, sent) => {
        number += 1;
        payloadBytes += decodeRelayFrame(frame)?.payload.byteLength ?? expect.unreachable('too long');
        if (number % 3 === 0) return sent();
        pending += 1;
        most = Math.max(most, pending);
        setImmediate(() => {
          pending -= 1;
          sent();
        });
      },
      onClosed: () => undefined,
    });
    for (let written = 0; written < 20; written += 1) bytes.write(pattern(1_000));
    bytes.resume();
    bytes.end();
    bytes.push(null);
    await new Promise<void>((resolve) => bytes.on('close', resolve));
    expect(payloadBytes).toBe(20_000);
    expect(number).toBeLessThan(5);
    expect(most).toBe(1);
  });

  it('hold a writer up until what it wrote has left', async () => {
    const { bytes, left } = open();
    let drains = 0;
    bytes.on('drain', () => {
      drains += 1;
    });
    const chunk = new Uint8Array(100 * 1024);
    expect([bytes.write(chunk), bytes.write(chunk), bytes.write(chunk)]).toEqual([true, true, false]);
    await settled();
    // What was written at once leaves together, in as few frames as hold it.
    expect(left.length).toBe(3);
    for (const sent of left) {
      expect(drains).toBe(0);
      sent();
      await settled();
    }
    expect(drains).toBe(1);
  });

  it('end once when our side is done, and take nothing more', async () => {
    const { bytes, closings } = open();
    const heard: Uint8Array[] = [];
    bytes.on('data', (chunk) => heard.push(chunk));
    bytes.receive(Uint8Array.of(1));
    await settled();
    bytes.destroy();
    bytes.destroy();
    bytes.receive(Uint8Array.of(2));
    await settled();
    expect(closings()).toBe(1);
    expect(heard).toEqual([Uint8Array.of(1)]);
  });

  it('that are gone from the other side end with its reason, and tell nobody', async () => {
    const { bytes, closings } = open();
    const reasons: Error[] = [];
    bytes.on('error', (reason) => reasons.push(reason));
    const reason = new Error('gone');
    bytes.gone(reason);
    bytes.receive(Uint8Array.of(1));
    bytes.destroy();
    await settled();
    expect([closings(), reasons, bytes.destroyed]).toEqual([0, [reason], true]);
  });
});

/** Bytes of a channel of which nothing leaves by itself. */
function open() {
  const left: (() => void)[] = [];
  let closings = 0;
  const bytes = new RelayedBytes({
    channel: 7,
    send: (_frame, sent) => left.push(sent),
    onClosed: () => {
      closings += 1;
    },
  });
  bytes.on('error', () => undefined);
  return { bytes, left, closings: () => closings };
}

/** Everything was done that was put off until the stack is empty. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
