import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResendBuffer } from './resend-buffer.ts';

/** Chunks of so many bytes are appended; or so many hundredths of what is unacknowledged acknowledged, or read from there on. */
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.nat(40) }) },
  fc.record({ do: fc.constant('append' as const), count: fc.nat(40_000) }),
  fc.record({ do: fc.constant('acknowledge' as const), count: fc.nat(100) }),
  fc.record({ do: fc.constant('read' as const), count: fc.nat(100), maxBytes: fc.integer({ min: 1, max: 70_000 }) }),
);

describe('a resend buffer', () => {
  test('gives back from any unacknowledged offset what was appended there, whatever was asked before', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const buffer = new ResendBuffer();
        let all = Buffer.alloc(0);
        let acknowledged = 0;
        const offsetAt = (hundredths: number) =>
          acknowledged + Math.floor(((all.byteLength - acknowledged) * hundredths) / 100);
        for (const one of steps) {
          if (one.do === 'append') {
            const chunk = Uint8Array.from({ length: one.count }, (_, at) => (all.byteLength + at) * 7);
            buffer.append(chunk);
            all = Buffer.concat([all, chunk]);
          } else if (one.do === 'acknowledge') {
            acknowledged = offsetAt(one.count);
            expect(buffer.acknowledge(acknowledged)).toBe(true);
          } else {
            const offset = offsetAt(one.count);
            const read = Buffer.concat(buffer.read(offset, one.maxBytes));
            expect(read.equals(all.subarray(offset, offset + one.maxBytes))).toBe(true);
          }
          expect([buffer.end, buffer.acknowledged]).toEqual([all.byteLength, acknowledged]);
          expect(buffer.unacknowledgedBytes).toBe(all.byteLength - acknowledged);
        }
      }),
    );
  });

  test('an older word on what was received changes nothing, and one on what is not there is refused', () => {
    const buffer = new ResendBuffer();
    buffer.append(Uint8Array.of(1, 2, 3, 4));
    expect(buffer.acknowledge(3)).toBe(true);
    expect(buffer.acknowledge(1)).toBe(true);
    expect(buffer.acknowledge(5)).toBe(false);
    expect(buffer.acknowledged).toBe(3);
    expect(buffer.read(3, 10).map((view) => [...view])).toEqual([[4]]);
  });

  test('small chunks are kept together: their number costs nothing', () => {
    const buffer = new ResendBuffer();
    for (let index = 0; index < 10_000; index += 1) buffer.append(new Uint8Array(12).fill(index));
    const views = buffer.read(0, 200_000);
    expect(Buffer.concat(views).byteLength).toBe(120_000);
    expect(views.length).toBeLessThan(10);
  });
});
