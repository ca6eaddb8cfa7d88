import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallestCover } from './smallest-cover.ts';

const groupsArbitrary = fc
  .dictionary(
    fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    fc.uniqueArray(fc.constantFrom('1', '2', '3', '4', '5', '6')),
  )
  .map((groups) => new Map(Object.entries(groups).map(([name, members]) => [name, new Set(members)])));

function subsets<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length }, (_, set) => items.filter((_, at) => ((set >> at) & 1) === 1));
}

describe('smallestCover', () => {
  it('finds a set that covers enough, and no smaller one does', () => {
    fc.assert(
      fc.property(groupsArbitrary, fc.integer({ min: 1, max: 6 }), (groups, wanted) => {
        const covers = (names: readonly string[]) =>
          new Set(names.flatMap((name) => [...(groups.get(name) ?? [])])).size >= wanted;
        const sizes = subsets([...groups.keys()])
          .filter(covers)
          .map((names) => names.length);
        const found = smallestCover(groups, wanted);
        if (found === undefined) return sizes.length === 0;
        return covers(found) && found.length === Math.min(...sizes);
      }),
      { numRuns: 500 },
    );
  });

  it('does better than always adding what helps most, where members sit in several groups', () => {
    const groups = new Map([
      ['wide', new Set(['1', '2', '3', '4'])],
      ['odd', new Set(['1', '3', '5'])],
      ['even', new Set(['2', '4', '6'])],
    ]);
    expect(smallestCover(groups, 6)).toEqual(['even', 'odd']);
  });

  it('ends on groups made up to be hard, with a set that covers enough', () => {
    const members = Array.from({ length: 120 }, (_, index) => `agent-${index}`);
    const groups = new Map(
      Array.from({ length: 400 }, (_, group) => [
        `group-${group}`,
        new Set(members.filter((_, index) => (index * 7 + group * 13 + ((index * group) % 11)) % 9 === 0)),
      ]),
    );
    const found = smallestCover(groups, 100) ?? [];
    expect(new Set(found.flatMap((name) => [...(groups.get(name) ?? [])])).size).toBeGreaterThanOrEqual(100);
  });
});
