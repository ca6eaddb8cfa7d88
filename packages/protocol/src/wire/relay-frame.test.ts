import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeRelayFrame,
  encodeRelayFrame,
  MAX_RELAY_PAYLOAD_BYTES,
  RELAY_HEADER_BYTES,
  writeRelayChannel,
} from './relay-frame.ts';

const channels = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const payloads = fc.uint8Array({ maxLength: 300 });
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('relayed frames', () => {
  test.each([
    [0x80000001, '', '80000001'],
    [1, '00ff', '0000000100ff'],
    [0xfffefdfc, '010203', 'fffefdfc010203'],
  ])('of channel %i with %j are %s', (channel, payload, hex) => {
    expect(hexOf(encodeRelayFrame(channel, Buffer.from(payload, 'hex')))).toBe(hex);
    const read = decodeRelayFrame(Buffer.from(hex, 'hex'));
    expect(read?.channel).toBe(channel);
    expect(hexOf(read?.payload ?? expect.unreachable('no frame'))).toBe(payload);
  });

  test('come out as they went in, wherever they lie in memory', () => {
    fc.assert(
      fc.property(channels, payloads, fc.nat(9), (channel, payload, at) => {
        const frame = encodeRelayFrame(channel, payload);
        const around = new Uint8Array(at + frame.byteLength + 5).fill(0xee);
        around.set(frame, at);
        expect(decodeRelayFrame(around.subarray(at, at + frame.byteLength))).toEqual({ channel, payload });
      }),
    );
  });

  test('get another channel in place, and nothing else of them changes', () => {
    fc.assert(
      fc.property(channels, channels, payloads, fc.nat(9), (before, after, payload, at) => {
        const frame = encodeRelayFrame(before, payload);
        const around = new Uint8Array(at + frame.byteLength + 5).fill(0xee);
        around.set(frame, at);
        writeRelayChannel(around.subarray(at, at + frame.byteLength), after);
        const expected = new Uint8Array(around.byteLength).fill(0xee);
        expected.set(encodeRelayFrame(after, payload), at);
        expect(around).toEqual(expected);
      }),
    );
  });

  test('are refused below a header and beyond the longest payload, and at no length between', () => {
    const longest = RELAY_HEADER_BYTES + MAX_RELAY_PAYLOAD_BYTES;
    const isRead = (length: number) => decodeRelayFrame(new Uint8Array(length)) !== undefined;
    expect([0, 1, 2, 3].map(isRead)).toEqual([false, false, false, false]);
    expect([RELAY_HEADER_BYTES, longest - 1, longest].map(isRead)).toEqual([true, true, true]);
    expect([longest + 1, 2 * longest].map(isRead)).toEqual([false, false]);
  });

  test('share the memory of what was received', () => {
    const frame = encodeRelayFrame(1, Uint8Array.of(5));
    const read = decodeRelayFrame(frame);
    frame[RELAY_HEADER_BYTES] = 6;
    expect(read?.payload).toEqual(Uint8Array.of(6));
  });
});
