import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ABSENT, type Hash, toHex } from './bytes.ts';
import { nobleHash } from './noble.ts';
import { rebuildNodes, siblingPlaces, treeDepth, treeLevels, treeRoot } from './tree.ts';

const leaf = (index: number) => nobleHash(Uint8Array.of(index & 255, index >> 8));
const picked = fc
  .integer({ min: 1, max: 70 })
  .chain((count) =>
    fc.tuple(fc.constant(count), fc.array(fc.nat({ max: count - 1 }), { minLength: 1, maxLength: 12 })),
  );

describe('trees', () => {
  it('can be rebuilt from any leaves and the siblings listed for them', () => {
    fc.assert(
      fc.property(picked, ([count, indices]) => {
        const leaves = Array.from({ length: count }, (_, index) => leaf(index));
        const levels = treeLevels(nobleHash, leaves);
        const depth = treeDepth(count);
        const siblings = siblingPlaces(indices, depth).map(({ level, index }) => levels[level]?.[index] ?? ABSENT);
        const known = new Map(indices.map((index) => [index, leaf(index)]));
        const root = rebuildNodes(nobleHash, known, siblings, depth).get(0);
        expect(root && toHex(root)).toBe(toHex(treeRoot(nobleHash, leaves)));
      }),
    );
  });

  it('cannot be rebuilt if one leaf or one sibling differs', () => {
    fc.assert(
      fc.property(picked, fc.nat(), ([count, indices], pick) => {
        const leaves = Array.from({ length: count }, (_, index) => leaf(index));
        const levels = treeLevels(nobleHash, leaves);
        const depth = treeDepth(count);
        const parts = [
          ...indices.map(leaf),
          ...siblingPlaces(indices, depth).map(({ level, index }) => levels[level]?.[index] ?? ABSENT),
        ];
        const altered = pick % parts.length;
        const wrong = parts.map((part, index) => (index === altered ? nobleHash(part) : part));
        const known = new Map(indices.map((index, i) => [index, wrong[i]!]));
        const root = rebuildNodes(nobleHash, known, wrong.slice(indices.length), depth).get(0);
        const overwritten = altered < indices.length && indices.lastIndexOf(indices[altered]!) !== altered;
        expect(toHex(root!) === toHex(treeRoot(nobleHash, leaves))).toBe(overwritten);
      }),
    );
  });

  it('never ask for a node that is known, nor twice for the same', () => {
    fc.assert(
      fc.property(picked, ([count, indices]) => {
        const places = siblingPlaces(indices, treeDepth(count)).map(({ level, index }) => `${level} ${index}`);
        expect(new Set(places).size).toBe(places.length);
        expect(places.some((place) => indices.some((index) => place === `0 ${index}`))).toBe(false);
      }),
    );
  });

  it('have the one leaf as their root, and an absent half as zeros', () => {
    expect(treeRoot(nobleHash, [leaf(1)])).toEqual(leaf(1));
    const seen: string[] = [];
    const spy: Hash = (bytes) => {
      seen.push(toHex(bytes));
      return nobleHash(bytes);
    };
    treeRoot(spy, [leaf(0), leaf(1), leaf(2), leaf(3), leaf(4)]);
    expect(seen.at(-2)).toBe(`${toHex(nobleHash(Uint8Array.from([...leaf(4), ...ABSENT])))}${toHex(ABSENT).slice(2)}`);
  });
});
