import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameLimit } from './frame-limit.ts';

const LIMITS = { handshakeFrames: 2, maxFrameBytes: 1_000 };
const MAX_HANDSHAKE_BYTES = 256;

function encode(length: number): Uint8Array {
  const bytes = new Uint8Array(3 + Math.min(length, 2_000)).fill(0xff);
  bytes.set([length & 0xff, (length >> 8) & 0xff, length >> 16]);
  return bytes;
}

/** The code with which the bytes are refused, given in the pieces that the sizes say. */
function refusalOf(bytes: Uint8Array, sizes: readonly number[]): string | undefined {
  const limit = new FrameLimit(LIMITS);
  let at = 0;
  for (const size of [...sizes, bytes.byteLength]) {
    const refusal = limit.check(bytes.subarray(at, at + size));
    if (refusal !== undefined) return refusal.code;
    at += size;
  }
  return undefined;
}

describe('the limit of frames', () => {
  test('refuses exactly the frames that are empty or too long, in whatever pieces they come', () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 256 }), fc.integer({ min: 0, max: 1_000 }), fc.nat(2 ** 24 - 1));
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(length, { maxLength: 8 }), sizes, (lengths, pieces) => {
        const refused = lengths
          .map((bytes, index) => {
            if (bytes === 0) return 'MESSAGE_INVALID';
            const most = index < LIMITS.handshakeFrames ? MAX_HANDSHAKE_BYTES : LIMITS.maxFrameBytes;
            return bytes > most ? 'MESSAGE_TOO_LARGE' : undefined;
          })
          .find((code) => code !== undefined);
        expect(refusalOf(Buffer.concat(lengths.map(encode)), pieces)).toBe(refused);
      }),
    );
  });

  test.each([
    ['text of another protocol', 'MESSAGE_TOO_LARGE', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a frame of 16 MiB', 'MESSAGE_TOO_LARGE', Uint8Array.of(0xff, 0xff, 0xff)],
    ['an empty frame', 'MESSAGE_INVALID', Uint8Array.of(0, 0, 0)],
    ['a long frame amid the handshake', 'MESSAGE_TOO_LARGE', Buffer.concat([encode(32), encode(257)])],
  ])('refuses %s before a byte of it is kept', (_name, code, bytes) => {
    expect(refusalOf(bytes, [])).toBe(code);
  });

  test('lets long frames in once the handshake is over', () => {
    const handshake = [encode(32), encode(96)];
    expect(refusalOf(Buffer.concat([...handshake, encode(1_000)]), [])).toBeUndefined();
    expect(refusalOf(Buffer.concat([...handshake, encode(1_001)]), [])).toBe('MESSAGE_TOO_LARGE');
  });
});
