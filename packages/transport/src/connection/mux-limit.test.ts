import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MuxLimit } from './mux-limit.ts';

const MAX_BYTES = 50;

interface Frame {
  readonly type: number;
  readonly length: number;
}

/** As yamux has it: version, type, flags, stream, length; data frames are followed by so many bytes. */
function encode({ type, length }: Frame): Uint8Array {
  const payloadBytes = type === 0 ? Math.min(length, 1_000) : 0;
  const bytes = new Uint8Array(12 + payloadBytes).fill(0xff);
  bytes[0] = 0;
  bytes[1] = type;
  new DataView(bytes.buffer).setUint32(8, length);
  return bytes;
}

/** Cuts bytes where the numbers say. */
function cut(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const at = [0, ...cuts.map((one) => one % (bytes.byteLength + 1)).sort((a, b) => a - b), bytes.byteLength];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

function refuses(limit: MuxLimit, chunks: readonly Uint8Array[]): boolean {
  try {
    for (const chunk of chunks) limit.check(chunk);
    return false;
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    return true;
  }
}

const frame = fc.record({
  type: fc.constantFrom(0, 0, 1, 2, 3, 200),
  length: fc.oneof(fc.nat(MAX_BYTES), fc.nat(2 ** 32 - 1)),
});

describe('the limit of the multiplexer', () => {
  test('refuses exactly the data frames that are too long, in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 20 }), (frames, cuts) => {
        const isTooLong = ({ type, length }: Frame) => type === 0 && length > MAX_BYTES;
        const chunks = cut(Buffer.concat(frames.map(encode)), cuts);
        expect(refuses(new MuxLimit(MAX_BYTES), chunks)).toBe(frames.some(isTooLong));
      }),
    );
  });

  test('refuses by the header alone, before a byte of the frame is there', () => {
    const header = encode({ type: 0, length: 2 ** 32 - 1 }).subarray(0, 12);
    const limit = new MuxLimit(MAX_BYTES);
    limit.check(header.subarray(0, 11));
    expect(refuses(limit, [header.subarray(11)])).toBe(true);
  });
});
