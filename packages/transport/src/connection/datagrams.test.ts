import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Datagrams, MAX_DATAGRAM_BYTES } from './datagrams.ts';

/** A datagram older than so many later ones may not come any more. */
const WINDOW = 1_024;

/** The packets of so many datagrams; the bytes of each are its number. */
function send(count: number): readonly Uint8Array[] {
  const datagrams = new Datagrams();
  return Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, index);
    return datagrams.encode({ streamId: index * 2 + 1, bytes });
  });
}

describe('datagrams', () => {
  test('arrive with their stream and their bytes, as a copy', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.uint8Array({ maxLength: MAX_DATAGRAM_BYTES }), (streamId, bytes) => {
        const packet = new Datagrams().encode({ streamId, bytes });
        const arrived = new Datagrams().decode(Buffer.from(packet));
        packet.fill(0);
        expect(arrived).toEqual({ streamId, bytes });
      }),
    );
  });

  test('are let in once, in whatever order and however often they come; but none older than the window', () => {
    const packets = send(4_000);
    const number = fc.oneof(fc.nat(3_999), fc.nat(60), fc.constantFrom(0, 1, 1_023, 1_024, 1_025, 2_048, 3_999));
    fc.assert(
      fc.property(fc.array(number, { maxLength: 300 }), (order) => {
        const receiver = new Datagrams();
        const seen = new Set<number>();
        let newest = -1;
        for (const index of order) {
          const isLetIn = !seen.has(index) && index > newest - WINDOW;
          expect(receiver.decode(packets[index] ?? new Uint8Array()) !== undefined).toBe(isLetIn);
          seen.add(index);
          newest = Math.max(newest, index);
        }
      }),
    );
  });

  test('are numbered over 2^32 as below', () => {
    const packet = (high: number, low: number) => {
      const bytes = Buffer.alloc(11);
      bytes.writeUInt16BE(high, 4);
      bytes.writeUInt32BE(low, 6);
      return bytes;
    };
    const receiver = new Datagrams();
    const letIn = (high: number, low: number) => receiver.decode(packet(high, low)) !== undefined;
    expect([letIn(0, 2 ** 32 - 1), letIn(1, 0), letIn(1, 0), letIn(0, 2 ** 32 - 1)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([letIn(2 ** 16 - 1, 2 ** 32 - 1), letIn(1, 1), letIn(0, 0)]).toEqual([true, false, false]);
  });

  test.each([
    ['empty', 0],
    ['too short', 9],
    ['too long', 11 + MAX_DATAGRAM_BYTES],
  ])('are not what is %s', (_name, bytes) => {
    expect(new Datagrams().decode(new Uint8Array(bytes).fill(1))).toBeUndefined();
  });
});
