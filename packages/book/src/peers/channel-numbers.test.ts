import { FIRST_BOOK_CHANNEL } from '@latent/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ChannelNumbers } from './channel-numbers.ts';

it('begins where a peer’s own numbers end', () => {
  expect(new ChannelNumbers().take(() => false)).toBe(FIRST_BOOK_CHANNEL);
});

it('gives no number twice while it is in use, and the one used longest ago first, past the last one too', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant(null), fc.nat(15)), { minLength: 20, maxLength: 100 }), (moves) => {
      const numbers = new ChannelNumbers(100, 107);
      const inUse: number[] = [];
      for (const released of moves) {
        if (released === null && inUse.length < 8) {
          const taken = numbers.take((number) => inUse.includes(number));
          expect(inUse).not.toContain(taken);
          expect(taken).toBeGreaterThanOrEqual(100);
          expect(taken).toBeLessThanOrEqual(107);
          inUse.push(taken);
        } else if (released !== null) {
          inUse.splice(released, 1);
        }
      }
    }),
  );
  const numbers = new ChannelNumbers(100, 102);
  expect(Array.from({ length: 5 }, () => numbers.take(() => false))).toEqual([100, 101, 102, 100, 101]);
});
