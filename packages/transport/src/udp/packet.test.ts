import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfHex, hexOfBytes } from '../hex.ts';
import {
  COOKIE_BYTES,
  decodePeerPacket,
  encodePeerPacket,
  NONCE_BYTES,
  type PeerPacket,
  PROBE_BYTES,
  TOKEN_BYTES,
} from './packet.ts';

const bytes = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });
const token = bytes(TOKEN_BYTES);
const nonce = bytes(NONCE_BYTES);
const cookie = bytes(COOKIE_BYTES);
const streamId = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const anyPacket: fc.Arbitrary<PeerPacket> = fc.oneof(
  fc.record({ kind: fc.constantFrom('probe' as const, 'confirm' as const), token, nonce }),
  fc.record({ kind: fc.constant('echo' as const), token, nonce, ownNonce: nonce }),
  fc.record({ kind: fc.constant('knock' as const), token, streamId, cookie }),
  fc.record({ kind: fc.constant('cookie' as const), token, cookie }),
  fc.record({ kind: fc.constant('opened' as const), token, streamId }),
);

const TOKEN = '000102030405060708090a0b0c0d0e0f';
const vectors: readonly (readonly [string, PeerPacket])[] = [
  [`4c54503101${TOKEN}a1a2a3a400000000`, { kind: 'probe', token: bytesOfHex(TOKEN), nonce: bytesOfHex('a1a2a3a4') }],
  [
    `4c54503102${TOKEN}a1a2a3a4b1b2b3b4`,
    { kind: 'echo', token: bytesOfHex(TOKEN), nonce: bytesOfHex('a1a2a3a4'), ownNonce: bytesOfHex('b1b2b3b4') },
  ],
  [`4c54503106${TOKEN}b1b2b3b400000000`, { kind: 'confirm', token: bytesOfHex(TOKEN), nonce: bytesOfHex('b1b2b3b4') }],
  [
    `4c54503103${TOKEN}00010203f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff`,
    {
      kind: 'knock',
      token: bytesOfHex(TOKEN),
      streamId: 0x00010203,
      cookie: bytesOfHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'),
    },
  ],
  [
    `4c54503104${TOKEN}00000000f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff`,
    { kind: 'cookie', token: bytesOfHex(TOKEN), cookie: bytesOfHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff') },
  ],
  [
    `4c54503105${TOKEN}fffefdfc00000000000000000000000000000000`,
    { kind: 'opened', token: bytesOfHex(TOKEN), streamId: 0xfffefdfc },
  ],
];

describe('packets of peers', () => {
  test.each(vectors)('%s is read and written byte for byte', (hex, packet) => {
    expect(hexOfBytes(encodePeerPacket(packet))).toBe(hex);
    expect(decodePeerPacket(bytesOfHex(hex))).toEqual(packet);
  });

  test('are read as they were written, wherever they lie in memory', () => {
    fc.assert(
      fc.property(anyPacket, fc.nat(20), (packet, at) => {
        const encoded = encodePeerPacket(packet);
        const around = new Uint8Array(at + encoded.byteLength + 7).fill(0xff);
        around.set(encoded, at);
        expect(decodePeerPacket(around.subarray(at, at + encoded.byteLength))).toEqual(packet);
      }),
    );
  });

  test('outlive the bytes that they were read from, which the socket uses again', () => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        // As sockets hand it over.
        const encoded = Buffer.from(encodePeerPacket(packet));
        const read = decodePeerPacket(encoded);
        encoded.fill(0);
        expect(read).toEqual(packet);
      }),
    );
  });

  test('are never shorter than what answers them', () => {
    const lengthOf = (kind: PeerPacket['kind']) => {
      const [hex = ''] = vectors.find(([, packet]) => packet.kind === kind) ?? [];
      return hex.length / 2;
    };
    expect(lengthOf('echo')).toBe(lengthOf('probe'));
    expect(lengthOf('confirm')).toBe(lengthOf('echo'));
    expect(lengthOf('cookie')).toBe(lengthOf('knock'));
    expect(lengthOf('opened')).toBe(lengthOf('knock'));
    expect(lengthOf('probe')).toBe(PROBE_BYTES);
  });

  test('without a stream are none: its number 0 stands for nothing', () => {
    const knock = encodePeerPacket({
      kind: 'knock',
      token: new Uint8Array(16),
      streamId: 1,
      cookie: new Uint8Array(16),
    });
    expect(decodePeerPacket(knock)?.kind).toBe('knock');
    knock[24] = 0;
    expect(decodePeerPacket(knock)).toBeUndefined();
  });

  test('of any other length, magic or kind are none', () => {
    fc.assert(
      fc.property(anyPacket, fc.nat(60), fc.nat(255), fc.nat(4), (packet, length, byte, at) => {
        const encoded = encodePeerPacket(packet);
        const cut = new Uint8Array(length);
        cut.set(encoded.subarray(0, length));
        if (length !== encoded.byteLength) {
          // Two lengths are in use, and each kind has one of them.
          expect(decodePeerPacket(cut)).toBeUndefined();
        }
        const altered = encoded.slice();
        altered[at] = byte;
        const read = decodePeerPacket(altered);
        if (byte === encoded[at]) expect(read).toEqual(packet);
        else if (at < 4) expect(read).toBeUndefined();
        else expect(read?.kind).not.toBe(packet.kind);
      }),
    );
  });

  test('are read from garbage only if writing them gives the same bytes but for the unused ones', () => {
    const garbage = fc
      .tuple(fc.uint8Array({ maxLength: 80 }), fc.boolean())
      .map(([tail, hasMagic]) => (hasMagic ? Uint8Array.from([0x4c, 0x54, 0x50, 0x31, ...tail]) : tail));
    fc.assert(
      fc.property(garbage, (input) => {
        const read = decodePeerPacket(input);
        if (read !== undefined) expect(decodePeerPacket(encodePeerPacket(read))).toEqual(read);
      }),
      { numRuns: 2_000 },
    );
  });
});
