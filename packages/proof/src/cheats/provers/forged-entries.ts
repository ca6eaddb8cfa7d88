import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import type { MakeStates } from '../stage/keeping-engine.ts';
import { stateOf, sumsOf } from '../stage/network.ts';
import { misbehave } from '../stage/stage.ts';

/**
 * Leaves the last outputs of every state out, and writes what the mixer makes of no sums at all.
 *
 * Gains: of every `oneOf` products one is not made. Caught: the verifier multiplies each sampled entry by itself; a made-up
 * one is right once in sixteen.
 */
export function forgedEntries(oneOf: number): Cheat {
  const { width } = parameterSets.development;
  const kept = width - Math.round(width / oneOf);
  const forged = 1 - kept / width;
  return {
    name: `forged-entries-1-in-${oneOf}`,
    summary: `does not compute one in ${oneOf} entries of every state of the compute phase`,
    claims: { ...honestClaims, operations: 1 / (1 - forged) },
    forged,
    predicted: acceptanceOf(parameterSets.development, forged),
    stoppedBy: 'samples',
    explanation: 'The verifier computes every sampled entry by itself; a made-up one is right once in sixteen.',
    begin: (stage) => misbehave(stage, { make: { compute: leaveOut(kept) } }),
  };
}

function leaveOut(outputs: number): MakeStates {
  return ({ parameters, phase, step, keys, before, layer, work }) =>
    before.map((state, row) => {
      const index = phase.layerOf(row, step);
      const sums = sumsOf(parameters, layer(index), state, work, { outputs });
      return stateOf(parameters, keys[row] ?? 0, index, sums);
    });
}
