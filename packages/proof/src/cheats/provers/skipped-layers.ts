import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { type MakeStates, makeHonestly } from '../stage/keeping-engine.ts';
import { misbehave, STAGE_LAYERS } from '../stage/stage.ts';

/** Passes the state through every other layer unchanged. Gains: half of the products. Caught: by the samples on those layers. */
export const skippedLayers: Cheat = {
  name: 'skipped-layers',
  summary: 'passes states through every other layer of the compute phase as they are',
  claims: { ...honestClaims, operations: 2 },
  forged: 1 / 2,
  predicted: acceptanceOf(parameterSets.development, 1 / 2),
  stoppedBy: 'samples',
  explanation: 'An unchanged code is right once in sixteen, as a made-up one is.',
  begin: (stage) => misbehave(stage, { make: { compute: passThrough(({ step }) => step % 2 === 1) } }),
};

/** Layers of the bandwidth phase that are never read, of those of one lane. */
const STEPS = STAGE_LAYERS / parameterSets.development.lanes;

/**
 * Does the same in one step in eleven of the bandwidth phase, whose layers are then not read.
 *
 * Not the best that there is: a state that is the same in every row and pass has sums with the layer after it that are known
 * before the beacon (those of zeros are 0), so that this layer is not read either, and what comes after it is right.
 */
export const skippedReads: Cheat = {
  name: 'skipped-reads',
  summary: 'passes states through one layer in eleven of the bandwidth phase as they are, and does not read it',
  claims: { ...honestClaims, bandwidth: STEPS / (STEPS - 1) },
  forged: 1 / STEPS,
  predicted: acceptanceOf(parameterSets.development, 1 / STEPS),
  stoppedBy: 'samples',
  explanation:
    'The bandwidth phase is sampled as often as the compute phase, and by itself. Who writes one constant state there, and knows its sums with the next layer from before the beacon, reads neither of the two layers: for the same gain f = 1/22 is enough in place of 1/11, the 2f of the formula, and is accepted as often as collapsed-rows.',
  begin: (stage) => misbehave(stage, { make: { bandwidth: passThrough(({ step }) => step === 5) } }),
};

function passThrough(isSkipped: (call: { readonly step: number }) => boolean): MakeStates {
  return (call) => (isSkipped(call) ? call.before : makeHonestly(call));
}
