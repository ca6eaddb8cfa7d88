import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { misbehave, modelOf, proverWith, rehearse } from '../stage/stage.ts';

/** A pass that was done before takes no longer than telling of it. */
const TOLD_MS = 5;

/**
 * Runs all passes before the beacons are known, from beacons that it makes up, and hands the outcome over at once.
 *
 * Gains: what it likes. Caught: inputs and keys derive from the true beacon, so that every row is another.
 */
export const precomputedPasses: Cheat = {
  name: 'precomputed-passes',
  summary: 'runs all passes from guessed beacons before the true ones are published',
  claims: { ...honestClaims, operations: 200, bandwidth: 200 },
  forged: 1,
  predicted: acceptanceOf(parameterSets.development, 1) ** 2,
  stoppedBy: 'samples',
  explanation:
    'Inputs and keys of every row follow from the seed of its pass, and that from a beacon that nobody knew.',
  begin: (stage) =>
    rehearse(stage, {
      prover: (clock) => {
        const seed = (phase: string, _: Uint8Array, pass: number) => stage.draw('guess', phase, pass);
        return proverWith(stage, clock, { seed, passMs: () => TOLD_MS }, modelOf(stage)).prover;
      },
      asked: { phaseMs: { compute: 2 * TOLD_MS, bandwidth: 2 * TOLD_MS } },
    }),
};

/** Passes that go through the weights together. */
const BATCH = 4;
/** Of five passes in two readings: the first of each batch has its true seed. */
const FORGED = 3 / 5;

/**
 * Runs four bandwidth passes in one reading of the memory; the seeds of three of them are guessed.
 *
 * Gains: three readings of four. Caught: the seed of a pass is the hash of all of the pass before it, so that it cannot be
 * known while that one still runs.
 */
export const batchedPasses: Cheat = {
  name: 'batched-bandwidth-passes',
  summary: 'reads the memory once for four bandwidth passes, three of them with guessed seeds',
  claims: { ...honestClaims, bandwidth: 2.5 },
  forged: FORGED,
  predicted: acceptanceOf(parameterSets.development, FORGED),
  stoppedBy: 'samples',
  explanation: 'Each pass starts from a hash of the one before it: two passes cannot share a reading of the weights.',
  begin: (stage) =>
    misbehave(stage, {
      seed: (phase, given, pass) =>
        phase === 'bandwidth' && pass % BATCH !== 0 ? stage.draw('guess', phase, pass) : given,
      passMs: (phase, pass, workMs) => (phase === 'bandwidth' && pass % BATCH !== 0 ? 0 : workMs),
    }),
};
