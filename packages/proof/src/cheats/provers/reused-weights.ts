import { LatentError } from '@latent/protocol';
import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { modelDevice } from '../stage/device-model.ts';
import type { LayerCall } from '../stage/keeping-engine.ts';
import type { LayerWeights } from '../stage/network.ts';
import { misbehave, STAGE_LAYERS, type Stage } from '../stage/stage.ts';

const KEPT = STAGE_LAYERS / 2;

/** Holds half of the layers, and goes through each twice. Gains: memory that is not there. Caught: the verifier derives the true weights. */
export const reusedWeights: Cheat = {
  name: 'reused-weights',
  summary: 'declares twice the layers that it holds, and uses each for two',
  claims: { ...honestClaims, memory: 2 },
  forged: 1 / 2,
  predicted: acceptanceOf(parameterSets.development, 1 / 2) ** 2,
  stoppedBy: 'samples',
  explanation:
    'Each layer has weights of its own, and half of all samples of both phases fall on layers that were not held.',
  device: halfDevice,
  begin: (stage) => misbehave(stage, { keptLayers: () => KEPT, layer: wrapAround }, halfDevice(stage)),
};

function halfDevice({ parameters, readToMake }: Stage) {
  return modelDevice(parameters, KEPT, readToMake);
}

function wrapAround({ index, kept, work }: LayerCall): LayerWeights {
  const weights = kept[index % KEPT];
  if (weights === undefined) throw new LatentError('INTERNAL', 'No layer is kept.');
  work.bytesRead += weights.length;
  return weights;
}
