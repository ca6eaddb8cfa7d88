import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteQueue } from './byte-queue.ts';

/** Around and beyond what one block holds. */
const size = fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: 16_000, max: 16_800 }), fc.nat({ max: 70_000 }));
const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), size }),
  fc.record({ kind: fc.constant('drop' as const), size }),
  fc.record({ kind: fc.constant('read' as const), size, from: size }),
);

it('gives back what it was given, in order, wherever its blocks begin and end', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      // Two at once, as they share the blocks that nobody uses.
      const queues = [new ByteQueue(), new ByteQueue()] as const;
      const held = [Buffer.alloc(0), Buffer.alloc(0)];
      let given = 0;
      for (const [at, one] of steps.entries()) {
        const which = at % 2 === 0 ? 0 : 1;
        const queue = queues[which];
        const bytes = held[which] ?? expect.unreachable();
        if (one.kind === 'append') {
          given += 1;
          const fresh = Buffer.from(Array.from({ length: one.size }, (_, index) => (index * 7 + given) % 256));
          queue.append(fresh);
          held[which] = Buffer.concat([bytes, fresh]);
          fresh.fill(0);
        } else if (one.kind === 'drop') {
          const count = Math.min(one.size, queue.length);
          queue.drop(count);
          held[which] = bytes.subarray(count);
        } else {
          const read = Buffer.concat(queue.read(one.from, one.size));
          expect(read.equals(bytes.subarray(one.from, one.from + one.size))).toBe(true);
        }
        for (const index of [0, 1] as const) {
          const whole = Buffer.concat(queues[index].read(0, Number.MAX_SAFE_INTEGER));
          expect(whole.equals(held[index] ?? expect.unreachable())).toBe(true);
          expect(queues[index].length).toBe(whole.byteLength);
        }
      }
    }),
    { numRuns: 60 },
  );
});
