import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import type { MakeStates } from '../stage/keeping-engine.ts';
import { type SumsPart, stateOf, sumsOf } from '../stage/network.ts';
import { misbehave } from '../stage/stage.ts';

const { width, gates } = parameterSets.development;

/**
 * Leaves one of the gates out. Gains: its products. Caught: the gates' sums are mixed by a hash-like function, so that what
 * is nearly right is as wrong as anything.
 */
export const omittedGates: Cheat = {
  name: 'omitted-gates',
  summary: 'computes one gate in two',
  claims: { ...honestClaims, operations: gates / (gates - 1) },
  forged: 1,
  predicted: acceptanceOf(parameterSets.development, 1),
  stoppedBy: 'samples',
  explanation: 'All gates go into every code.',
  begin: (stage) => misbehave(stage, { make: { compute: makeFrom({ gates: gates - 1 }) } }),
};

const VALUES = (width * 7) / 8;

/** Leaves the last eighth of every sum out, as somebody would whose results only have to be close. */
export const approximateSums: Cheat = {
  name: 'approximate-sums',
  summary: 'leaves an eighth of every sum out, so that all results are near the right ones',
  claims: { ...honestClaims, operations: width / VALUES },
  forged: 1,
  predicted: acceptanceOf(parameterSets.development, 1),
  stoppedBy: 'samples',
  explanation:
    'Integers are right or wrong: there is no tolerance to use up, and a sum that is off by one gives a random code.',
  begin: (stage) => misbehave(stage, { make: { compute: makeFrom({ values: VALUES }) } }),
};

function makeFrom(part: SumsPart): MakeStates {
  return ({ parameters, phase, step, keys, before, layer, work }) =>
    before.map((state, row) => {
      const index = phase.layerOf(row, step);
      return stateOf(parameters, keys[row] ?? 0, index, sumsOf(parameters, layer(index), state, work, part));
    });
}
