import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { type MakeStates, makeHonestly } from '../stage/keeping-engine.ts';
import { stateOf } from '../stage/network.ts';
import { misbehave, STAGE_LAYERS } from '../stage/stage.ts';

const FORGED_STEP = 10;

/**
 * Makes one layer's outputs up, for every row; all layers after it are computed honestly from them.
 *
 * Gains: that layer's products. Caught: one in 22 samples falls on the layer, and its entries are wrong but for one in sixteen.
 */
export const oneForgedLayer: Cheat = {
  name: 'one-forged-layer',
  summary: 'makes up the outputs of one layer in 22 of the compute phase, each row by itself',
  claims: { ...honestClaims, operations: STAGE_LAYERS / (STAGE_LAYERS - 1) },
  forged: 1 / STAGE_LAYERS,
  predicted: acceptanceOf(parameterSets.development, 1 / STAGE_LAYERS),
  stoppedBy: 'samples',
  explanation:
    'Every layer is as likely to be sampled as any other, and an entry is checked against the opened state before it.',
  begin: (stage) => misbehave(stage, { make: { compute: forgeLayer } }),
};

const forgeLayer: MakeStates = (call) => {
  const { parameters, step, phase, keys } = call;
  if (step !== FORGED_STEP) return makeHonestly(call);
  const nothing = new Int32Array(parameters.width * parameters.gates);
  return keys.map((key, row) => stateOf(parameters, key, phase.layerOf(row, step), nothing));
};
