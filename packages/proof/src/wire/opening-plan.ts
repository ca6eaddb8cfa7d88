import { ceilLog2, HASH_BYTES } from '../spec/bytes.ts';
import { CHUNK_BYTES, CHUNK_VALUES } from '../spec/digests.ts';
import { type Parameters, rowBytes } from '../spec/parameters.ts';
import type { Phase } from '../spec/phase.ts';
import type { Sample } from '../spec/session.ts';
import { type NodePlace, siblingPlaces, treeDepth } from '../spec/tree.ts';

/** Which nodes a phase's opening holds: all of it follows from the samples. Spec: docs/proof.md §9. */
export interface OpeningPlan {
  readonly samples: readonly Sample[];
  /** Levels from states to pass roots, and from passes to the root of the phase. */
  readonly depthWithin: number;
  readonly depthAbove: number;
  /** Passes that a sample names, ascending. */
  readonly passes: readonly number[];
  /** Those of them that are not the first. */
  readonly seededPasses: readonly number[];
  readonly siblingsWithin: readonly NodePlace[];
  readonly siblingsAbove: readonly NodePlace[];
  /** Bytes of the whole opening. */
  readonly bytes: number;
}

/** Index of a state in the tree of its phase, counted from the first state of the first pass. */
export function stateLeaf(phase: Phase, pass: number, row: number, state: number): number {
  return (pass * phase.rows + row) * 2 ** ceilLog2(phase.steps + 1) + state;
}

/** Bytes that one sample takes: a state, a chunk of the next one, and the digests of its other chunks. */
export function sampleBytes(parameters: Parameters): number {
  return rowBytes(parameters) + CHUNK_BYTES + HASH_BYTES * (parameters.width / CHUNK_VALUES - 1);
}

export function planOpening(
  parameters: Parameters,
  phase: Phase,
  passes: number,
  samples: readonly Sample[],
): OpeningPlan {
  const depthWithin = treeDepth(phase.rows) + treeDepth(phase.steps + 1);
  const depthAbove = treeDepth(passes);
  const named = [...new Set(samples.map(({ pass }) => pass))].sort((a, b) => a - b);
  const seededPasses = named.filter((pass) => pass > 0);
  const leaves = samples.flatMap(({ pass, row, step }) => [
    stateLeaf(phase, pass, row, step),
    stateLeaf(phase, pass, row, step + 1),
  ]);
  const siblingsWithin = siblingPlaces(leaves, depthWithin);
  const siblingsAbove = siblingPlaces([...named, ...seededPasses.map((pass) => pass - 1)], depthAbove);
  const hashes = seededPasses.length + siblingsWithin.length + siblingsAbove.length;
  return {
    samples,
    depthWithin,
    depthAbove,
    passes: named,
    seededPasses,
    siblingsWithin,
    siblingsAbove,
    bytes: samples.length * sampleBytes(parameters) + hashes * HASH_BYTES,
  };
}
