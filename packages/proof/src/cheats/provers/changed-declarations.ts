import { parameterSets } from '../../spec/parameters.ts';
import { decodeHeader, encodeHeader, type ProofHeader } from '../../wire/proof-header.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import type { ManualClock } from '../stage/manual-clock.ts';
import { type Act, modelOf, proverWith, rehearse, type Stage } from '../stage/stage.ts';

/** What telling a commitment of nothing takes. */
const TOLD_MS = 5;

/**
 * Commits to nothing in time, does the work after the sample beacon, and sends a right proof of it.
 *
 * Gains: all the time that it likes. Caught: the proof has to hold the commitments that were received.
 */
export const lateCommitment: Cheat = {
  name: 'late-commitment',
  summary: 'commits to random bytes, and does the work when the samples are known',
  claims: { ...honestClaims, operations: 200, bandwidth: 200 },
  predicted: 0,
  stoppedBy: 'order',
  explanation:
    'A proof that does not lead to the commitments received before the sample beacon is not for this challenge.',
  begin: (stage) =>
    rehearse(stage, {
      prover: (clock) => {
        const { prover } = proverWith(stage, clock, { passMs: () => TOLD_MS }, modelOf(stage));
        return {
          ...prover,
          runPhase: async (call) => ({
            passes: (await prover.runPhase(call)).passes,
            phaseRoot: stage.draw('nothing', call.name),
          }),
        };
      },
      asked: { phaseMs: { compute: 2 * TOLD_MS, bandwidth: 2 * TOLD_MS } },
    }),
};

/** In turns: the header as it was worked, and the header as it was declared. */
function inTurns(header: (worked: ProofHeader) => ProofHeader): NonNullable<Act['open']> {
  return async ({ sampleBeacon, trial, openBy }) => {
    const proof = (await openBy(sampleBeacon)).slice();
    if (trial % 2 === 1) proof.set(encodeHeader(header(decodeHeader(proof))));
    return proof;
  };
}

/** Declares twice the layers, and works with half of them. Caught: L goes into every seed, and is declared before any. */
export const changedLayers: Cheat = {
  name: 'changed-layers',
  summary: 'declares twice the layers that its proof is of',
  claims: { operations: 2, memory: 2, bandwidth: 2 },
  predicted: 0,
  stoppedBy: 'order',
  explanation:
    'The number of layers is declared before the compute beacon and goes into all seeds: a proof of another number is another proof.',
  begin: (stage) =>
    rehearse(stage, {
      prover: (clock) => {
        const { prover } = honestProver(stage, clock);
        return { ...prover, fill: async (call) => 2 * (await prover.fill(call)) };
      },
      open: inTurns((worked) => ({ ...worked, layers: 2 * worked.layers })),
    }),
};

/** Declares twice the passes that it ran. Caught: their number is in the commitment, and in the shape of the tree. */
export const changedPasses: Cheat = {
  name: 'changed-passes',
  summary: 'declares twice the passes that it ran',
  claims: { ...honestClaims, operations: 2, bandwidth: 2 },
  predicted: 0,
  stoppedBy: 'order',
  explanation: 'The number of passes is part of the commitment, and samples are drawn from all passes that it names.',
  begin: (stage) =>
    rehearse(stage, {
      prover: (clock) => {
        const { prover } = honestProver(stage, clock);
        return {
          ...prover,
          runPhase: async (call) => {
            const { passes, phaseRoot } = await prover.runPhase(call);
            return { passes: 2 * passes, phaseRoot };
          },
        };
      },
      open: inTurns(({ passes, ...worked }) => ({
        ...worked,
        passes: { compute: 2 * passes.compute, bandwidth: 2 * passes.bandwidth },
      })),
    }),
};

/** A multiple of the lanes of both sets. */
const BOTH_LAYERS = 20;

/**
 * Is asked for a proof of the set `cpu`, and makes one of `development`, whose layers are 32 times smaller.
 * Caught: the set is part of the challenge, of the session and of the samples.
 */
export const smallerSet: Cheat = {
  name: 'smaller-set',
  summary: 'answers a challenge of the set cpu with a proof of the set development',
  claims: { ...honestClaims, memory: 29 },
  predicted: 0,
  stoppedBy: 'order',
  explanation:
    'The set is the challenger’s: a proof of another set is refused, and one that only says the right set has the wrong length.',
  begin: (stage) =>
    rehearse(stage, {
      prover: (clock) => {
        const { prover } = proverWith(stage, clock, { passMs: () => 6000 }, modelOf(stage));
        return { ...prover, fill: (call) => prover.fill({ ...call, parameters: parameterSets.development }) };
      },
      asked: { parameters: parameterSets.cpu, layers: BOTH_LAYERS, phaseMs: { compute: 0, bandwidth: 0 } },
      open: inTurns((worked) => ({ ...worked, parameters: parameterSets.cpu })),
    }),
};

function honestProver(stage: Stage, clock: ManualClock) {
  return proverWith(stage, clock, {}, modelOf(stage));
}
