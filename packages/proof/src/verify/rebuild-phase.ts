import { LatentError } from '@latent/protocol';
import { type Hash, join, sameBytes } from '../spec/bytes.ts';
import { CHUNK_VALUES, stateDigest } from '../spec/digests.ts';
import { type PhaseName, phaseOf } from '../spec/phase.ts';
import { nextSeed } from '../spec/session.ts';
import { rebuildNodes } from '../spec/tree.ts';
import type { OpenedSample, Opening } from '../wire/opening.ts';
import { type OpeningPlan, stateLeaf } from '../wire/opening-plan.ts';
import type { Derived, ProofHeader } from '../wire/proof-header.ts';

/**
 * Rebuilds a phase's root from what is opened.
 * @returns the seed of every pass that a sample names
 * @throws LatentError PROOF_BAD_OPENING unless it is the root in the header, and leaves that samples share agree
 */
export function rebuildPhase(
  hash: Hash,
  header: ProofHeader,
  derived: Derived,
  name: PhaseName,
  plan: OpeningPlan,
  opening: Opening,
): ReadonlyMap<number, Uint8Array> {
  const phase = phaseOf(header.parameters, name, header.layers);
  const states = gatherLeaves(name);
  for (const [index, { pass, row, step, output }] of plan.samples.entries()) {
    const opened = opening.samples[index];
    if (opened === undefined) throw new LatentError('INTERNAL', 'A sample has no opening.');
    states.add(stateLeaf(phase, pass, row, step), stateDigest(hash, opened.state));
    states.add(stateLeaf(phase, pass, row, step + 1), digestAround(hash, opened, output));
  }
  const passRoots = rebuildNodes(hash, states.leaves, opening.siblingsWithin, plan.depthWithin);

  const seeds = new Map<number, Uint8Array>();
  const passes = gatherLeaves(name);
  for (const pass of plan.passes) {
    const seed = pass === 0 ? derived.seeds[name] : opening.seeds[plan.seededPasses.indexOf(pass)];
    const root = passRoots.get(pass);
    if (seed === undefined || root === undefined) throw new LatentError('INTERNAL', 'A pass has no opening.');
    seeds.set(pass, seed);
    if (pass > 0) passes.add(pass - 1, seed);
    passes.add(pass, nextSeed(hash, seed, root));
  }
  const phaseRoot = rebuildNodes(hash, passes.leaves, opening.siblingsAbove, plan.depthAbove).get(0);
  if (phaseRoot === undefined || !sameBytes(phaseRoot, header.phaseRoots[name]))
    throw badOpening(name, 'leads to another root');
  return seeds;
}

/** Digest of the state whose sampled chunk is opened, and whose others are given by their digests. */
function digestAround(hash: Hash, { chunk, otherChunks }: OpenedSample, output: number): Uint8Array {
  const place = Math.floor(output / CHUNK_VALUES);
  return hash(join(...otherChunks.slice(0, place), hash(chunk), ...otherChunks.slice(place)));
}

function gatherLeaves(name: PhaseName) {
  const leaves = new Map<number, Uint8Array>();
  return {
    leaves,
    add(index: number, digest: Uint8Array): void {
      const before = leaves.get(index);
      if (before !== undefined && !sameBytes(before, digest)) throw badOpening(name, 'shows one state in two ways');
      leaves.set(index, digest);
    },
  };
}

function badOpening(phase: PhaseName, why: string): LatentError {
  return new LatentError('PROOF_BAD_OPENING', `What is opened of the ${phase} phase ${why}.`, { details: { phase } });
}
