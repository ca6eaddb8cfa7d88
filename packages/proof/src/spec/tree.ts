import { ABSENT, ceilLog2, type Hash, join, sameBytes } from './bytes.ts';

/** Depth of the tree over `leaves` digests. */
export function treeDepth(leaves: number): number {
  return ceilLog2(leaves);
}

/** @returns H(left ‖ right), or absent if both are. Spec: docs/proof.md §7. */
function parentOf(hash: Hash, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sameBytes(left, ABSENT) && sameBytes(right, ABSENT) ? ABSENT : hash(join(left, right));
}

/** All levels of a tree, from the leaves up; the last has one node, the root. @param leaves at least one */
export function treeLevels(hash: Hash, leaves: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const levels = [leaves];
  let level = leaves;
  for (let depth = treeDepth(leaves.length); depth > 0; depth--) {
    const below = level;
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, i) =>
      parentOf(hash, below[2 * i] ?? ABSENT, below[2 * i + 1] ?? ABSENT),
    );
    levels.push(level);
  }
  return levels;
}

export function treeRoot(hash: Hash, leaves: readonly Uint8Array[]): Uint8Array {
  return treeLevels(hash, leaves).at(-1)?.[0] ?? ABSENT;
}

/** A node: how many levels above the leaves, and its index within that level. */
export interface NodePlace {
  readonly level: number;
  readonly index: number;
}

/**
 * The nodes that somebody who knows `leaves` lacks for the level `depth` above them: level by level, each in ascending
 * order. Spec: docs/proof.md §9.
 * @param leaves indices, in any order, repeated or not
 */
export function siblingPlaces(leaves: Iterable<number>, depth: number): readonly NodePlace[] {
  const places: NodePlace[] = [];
  let known = ascending(leaves);
  for (let level = 0; level < depth; level++) {
    const set = new Set(known);
    for (const index of known)
      if (!set.has(index % 2 === 0 ? index + 1 : index - 1))
        places.push({ level, index: index % 2 === 0 ? index + 1 : index - 1 });
    known = ascending(known.map((index) => Math.floor(index / 2)));
  }
  return places;
}

/**
 * Nodes `depth` levels above the leaves, rebuilt.
 * @param leaves digests by index
 * @param siblings as `siblingPlaces` lists them, and exactly as many
 */
export function rebuildNodes(
  hash: Hash,
  leaves: ReadonlyMap<number, Uint8Array>,
  siblings: readonly Uint8Array[],
  depth: number,
): ReadonlyMap<number, Uint8Array> {
  const missing = siblings.values();
  let nodes: ReadonlyMap<number, Uint8Array> = leaves;
  for (let level = 0; level < depth; level++) {
    const above = new Map<number, Uint8Array>();
    for (const index of ascending(nodes.keys())) {
      const parent = Math.floor(index / 2);
      if (above.has(parent)) continue;
      const own = nodes.get(index) ?? ABSENT;
      const other = nodes.get(index % 2 === 0 ? index + 1 : index - 1) ?? missing.next().value ?? ABSENT;
      above.set(parent, index % 2 === 0 ? parentOf(hash, own, other) : parentOf(hash, other, own));
    }
    nodes = above;
  }
  return nodes;
}

function ascending(indices: Iterable<number>): readonly number[] {
  return [...new Set(indices)].sort((a, b) => a - b);
}
