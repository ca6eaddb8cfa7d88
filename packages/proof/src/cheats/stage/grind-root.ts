import { LatentError } from '@latent/protocol';
import type { PhaseCall, Prover } from '../../provers/prover.ts';
import type { Hash } from '../../spec/bytes.ts';
import { type Phase, phaseOf } from '../../spec/phase.ts';
import { nextSeed } from '../../spec/session.ts';
import { treeRoot } from '../../spec/tree.ts';
import { deriveFromHeader, type ProofHeader } from '../../wire/proof-header.ts';
import { hitsForged } from './draw-hits.ts';
import type { KeepingEngine } from './keeping-engine.ts';

/** Bytes of the last state that are made up: four codes, 65,536 roots. */
const FREE_BYTES = 2;
export const MOST_ROOTS = 256 ** FREE_BYTES;

export interface Grinding {
  readonly hash: Hash;
  readonly engine: KeepingEngine;
  /** The header that the proof will have; its bandwidth root and sample beacon are ground. */
  readonly header: ProofHeader;
  /** The sample beacon of a root, as the prover knows or guesses it. */
  readonly beaconOf: (proofRoot: Uint8Array) => Uint8Array;
  readonly mostTries: number;
}

/**
 * Makes up a few codes of the very last state, until the samples that the root then draws hit nothing that was forged. That
 * state is nobody's input, so that all else stays as it is: a try is some fifty hashes.
 * @returns tries; the engine is left with the last one
 */
export function grindRoot({ hash, engine, header, beaconOf, mostTries }: Grinding): number {
  const phase = phaseOf(header.parameters, 'bandwidth', header.layers);
  const pass = header.passes.bandwidth - 1;
  const row = phase.rows - 1;
  const last = engine.passes('bandwidth')[pass];
  const made = last?.states[row]?.[phase.steps];
  if (last === undefined || made === undefined) throw new LatentError('INTERNAL', 'There is no pass to grind.');
  for (let tries = 1; tries <= Math.min(mostTries, MOST_ROOTS); tries++) {
    const state = made.slice();
    for (let byte = 0; byte < FREE_BYTES; byte++) state[byte] = (tries >> (8 * byte)) & 255;
    engine.replaceState(phase, pass, row, phase.steps, state);
    const phaseRoots = { ...header.phaseRoots, bandwidth: phaseRootOf(hash, engine, phase) };
    const { root } = deriveFromHeader(hash, { ...header, phaseRoots });
    const beacons = { ...header.beacons, sample: beaconOf(root) };
    if (!hitsForged(hash, { ...header, phaseRoots, beacons }, engine)) return tries;
  }
  return mostTries;
}

function phaseRootOf(hash: Hash, engine: KeepingEngine, phase: Phase): Uint8Array {
  const leaves = engine.passes(phase.name).map(({ seed, digests }) => {
    const rowRoots = digests.map((row) => treeRoot(hash, row));
    return nextSeed(hash, seed, treeRoot(hash, rowRoots));
  });
  return treeRoot(hash, leaves);
}

/** Declares the bandwidth phase anew, with what is in the engine now. */
export function declareAgain(prover: Prover, call: PhaseCall, passes: number) {
  return prover.runPhase({ ...call, enough: (done) => done >= passes });
}
