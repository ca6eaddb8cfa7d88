import type { FillRequest } from '../../provers/engine.ts';
import { type Hash, sameBytes } from '../../spec/bytes.ts';
import type { Parameters } from '../../spec/parameters.ts';
import { type Phase, type PhaseName, phaseOf } from '../../spec/phase.ts';
import type { Sample } from '../../spec/session.ts';
import { codeAt, inputRow, packRow, rowKey, unpackRow } from '../../spec/values.ts';
import { noWork } from './device-model.ts';
import type { KeptPass } from './keeping-engine.ts';
import { deriveLayer, type LayerWeights, stateOf, sumsOf } from './network.ts';

/** What a prover can know of its own forgery: which samples a verifier would refuse. */
export interface Audit {
  /** Begins anew, with another network. */
  readonly begin: (request: Pick<FillRequest, 'parameters' | 'sessionId' | 'layers'>) => void;
  /** Whether a verifier that draws this sample finds something wrong. */
  readonly isWrong: (phase: PhaseName, sample: Sample) => boolean;
  /** That a state was replaced. */
  readonly forget: (phase: PhaseName, pass: number, row: number, state: number) => void;
}

export function createAudit(hash: Hash, passOf: (phase: PhaseName, pass: number) => KeptPass | undefined): Audit {
  let network: Pick<FillRequest, 'parameters' | 'sessionId' | 'layers'> | undefined;
  const wrongEntries = new Map<string, readonly boolean[]>();
  const layers = new Map<number, LayerWeights>();

  function auditStep({ parameters, sessionId }: NonNullable<typeof network>, phase: Phase, sample: Sample) {
    const { pass, row, step } = sample;
    const kept = passOf(phase.name, pass);
    const [before, after] = [kept?.states[row]?.[step], kept?.states[row]?.[step + 1]];
    const all = Array.from({ length: parameters.width }, (_, output) => output);
    if (kept === undefined || before === undefined || after === undefined) return all.map(() => true);
    if (step === 0 && !sameBytes(before, inputRow(hash, parameters, kept.seed, row))) return all.map(() => true);
    const layer = phase.layerOf(row, step);
    const key = rowKey(hash, parameters, kept.seed, row);
    const right = honestNext(parameters, key, layer, weightsOf(parameters, sessionId, layer), before);
    return all.map((output) => codeAt(right, output) !== codeAt(after, output));
  }

  function weightsOf(parameters: Parameters, sessionId: Uint8Array, layer: number): LayerWeights {
    const weights = layers.get(layer) ?? deriveLayer(hash, parameters, sessionId, layer);
    layers.set(layer, weights);
    return weights;
  }

  return {
    begin: (request) => {
      network = request;
      wrongEntries.clear();
      layers.clear();
    },
    isWrong: (name, sample) => {
      if (network === undefined) return true;
      const place = placeOf(name, sample.pass, sample.row, sample.step);
      const known =
        wrongEntries.get(place) ?? auditStep(network, phaseOf(network.parameters, name, network.layers), sample);
      wrongEntries.set(place, known);
      return known[sample.output] ?? true;
    },
    forget: (phase, pass, row, state) => {
      for (const step of [state - 1, state]) wrongEntries.delete(placeOf(phase, pass, row, step));
    },
  };
}

function honestNext(parameters: Parameters, key: number, layer: number, weights: LayerWeights, before: Uint8Array) {
  return packRow(stateOf(parameters, key, layer, sumsOf(parameters, weights, unpackRow(before), noWork())));
}

function placeOf(phase: PhaseName, pass: number, row: number, step: number): string {
  return `${phase} ${pass} ${row} ${step}`;
}
