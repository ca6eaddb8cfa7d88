import { parameterSets } from '../../spec/parameters.ts';
import { inputRow } from '../../spec/values.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { type MakeStates, makeHonestly } from '../stage/keeping-engine.ts';
import { stateOf, sumsOf } from '../stage/network.ts';
import { misbehave, STAGE_LAYERS } from '../stage/stage.ts';

const { computeRows, samples } = parameterSets.development;
/** Row 0 has its own input. */
const FORGED = (computeRows - 1) / computeRows / STAGE_LAYERS;

/**
 * Sends row 0's input through every row: all rows then have the same sums in the first layer.
 *
 * Gains: the first layer, but for one row. Caught: a sample of step 0 opens the input, which the verifier derives by itself;
 * there is no luck of one in sixteen here.
 */
export const forgedInputs: Cheat = {
  name: 'forged-inputs',
  summary: 'starts every row of the compute phase from the input of row 0, and computes the first layer once',
  claims: { ...honestClaims, operations: STAGE_LAYERS / (STAGE_LAYERS - 1 + 1 / computeRows) },
  forged: FORGED,
  predicted: (1 - FORGED) ** samples,
  stoppedBy: 'samples',
  explanation: 'An opened input is compared as a whole with what the seed gives.',
  begin: (stage) =>
    misbehave(stage, {
      input: (hash, parameters, seed) => inputRow(hash, parameters, seed, 0),
      make: { compute: firstLayerOnce },
    }),
};

const firstLayerOnce: MakeStates = (call) => {
  const { parameters, phase, step, keys, before, layer, work } = call;
  const [first] = before;
  if (step !== 0 || first === undefined) return makeHonestly(call);
  const index = phase.layerOf(0, step);
  const sums = sumsOf(parameters, layer(index), first, work);
  return keys.map((key) => stateOf(parameters, key, index, sums));
};
