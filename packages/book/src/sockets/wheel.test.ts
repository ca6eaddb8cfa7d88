import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Wheel } from './wheel.ts';

it('visits each item every so many turns after it was put in, and never before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(fc.nat(3), { maxLength: 60 }), (turns, addedAtTurn) => {
      const wheel = new Wheel<{ readonly sinceTurn: number; visits: number }>(turns);
      const items: { readonly sinceTurn: number; visits: number }[] = [];
      for (const [turn, added] of addedAtTurn.entries()) {
        for (let count = 0; count < added; count += 1) {
          const item = { sinceTurn: turn, visits: 0 };
          items.push(item);
          wheel.add(item);
        }
        wheel.turn((item) => {
          item.visits += 1;
        });
        for (const item of items) expect(item.visits).toBe(Math.floor((turn + 1 - item.sinceTurn) / turns));
      }
    }),
  );
});

it('visits nothing that was removed, also while it visits', () => {
  const wheel = new Wheel<string>(1);
  const slots = new Map(['a', 'b', 'c'].map((item) => [item, wheel.add(item)]));
  wheel.remove('b', slots.get('b')!);
  const visited: string[] = [];
  wheel.turn((item) => {
    visited.push(item);
    wheel.remove(item, slots.get(item)!);
  });
  wheel.turn((item) => visited.push(item));
  expect(visited).toEqual(['a', 'c']);
});
