import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { type MakeStates, makeHonestly } from '../stage/keeping-engine.ts';
import { stateOf, sumsOf } from '../stage/network.ts';
import { misbehave, STAGE_LAYERS } from '../stage/stage.ts';

/** In the middle, so that there is a layer after it. */
const FORGED_STEP = 10;

/**
 * Writes the same row for all rows after one layer. The sums of the layer after it are then the same for all rows, and are
 * computed once.
 *
 * Gains: two layers' products for one layer's forging, the most that is possible with the row's key in every entry. Caught:
 * the forged layer is sampled. Without the key the rows would stay equal to the end: `variants/collapse-without-key.ts`.
 */
export const collapsedRows: Cheat = {
  name: 'collapsed-rows',
  summary: 'writes one same row for all rows after one layer, and computes the next layer for one row only',
  claims: {
    ...honestClaims,
    operations: STAGE_LAYERS / (STAGE_LAYERS - 2 + 1 / parameterSets.development.computeRows),
  },
  forged: 1 / STAGE_LAYERS,
  predicted: acceptanceOf(parameterSets.development, 1 / STAGE_LAYERS),
  stoppedBy: 'samples',
  explanation:
    'The row’s key makes equal rows part at the next layer, so that one forged layer saves two layers’ work and no more; and the forged layer is sampled.',
  begin: (stage) => misbehave(stage, { make: { compute: collapse } }),
};

/** Forges one step, and makes the step after it from one row's sums. */
export const collapse: MakeStates = (call) => {
  const { parameters, phase, step, keys, before, layer, work } = call;
  const [first] = before;
  if (first === undefined) return [];
  if (step === FORGED_STEP) return before.map(() => first);
  if (step !== FORGED_STEP + 1) return makeHonestly(call);
  const index = phase.layerOf(0, step);
  const sums = sumsOf(parameters, layer(index), first, work);
  return before.map((_, row) => stateOf(parameters, keys[row] ?? 0, index, sums));
};
