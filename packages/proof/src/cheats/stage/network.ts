import type { Hash } from '../../spec/bytes.ts';
import type { Parameters } from '../../spec/parameters.ts';
import { requantise, weights } from '../../spec/step.ts';
import type { Work } from './device-model.ts';

/** A layer's weights: those of output j and gate g begin at (j·gates + g)·width. */
export type LayerWeights = Int8Array;

export function deriveLayer(hash: Hash, parameters: Parameters, sessionId: Uint8Array, layer: number): LayerWeights {
  const { width, gates } = parameters;
  const derived = new Int8Array(width * width * gates);
  for (let output = 0; output < width; output++)
    for (let gate = 0; gate < gates; gate++)
      derived.set(weights(hash, parameters, sessionId, layer, gate, output), (output * gates + gate) * width);
  return derived;
}

/** Which of a step's products are made; all of them, if left out. */
export interface SumsPart {
  /** Outputs, from 0: the others' sums stay 0. */
  readonly outputs?: number;
  /** Gates, from 0: the others' sums stay 0. */
  readonly gates?: number;
  /** Values of the state, from 0: the others count as 0. */
  readonly values?: number;
}

/** All sums of one row in one layer, output by output, gate by gate; what was multiplied is added to `work`. */
export function sumsOf(
  { width, gates }: Parameters,
  layer: LayerWeights,
  state: Int8Array,
  work: Work,
  part: SumsPart = {},
): Int32Array {
  const sums = new Int32Array(width * gates);
  const { outputs = width, gates: madeGates = gates, values = width } = part;
  for (let output = 0; output < outputs; output++)
    for (let gate = 0; gate < madeGates; gate++) {
      const column = output * gates + gate;
      sums[column] = dot(state, layer, column * width, values);
    }
  work.products += outputs * madeGates * values;
  return sums;
}

function dot(state: Int8Array, layer: LayerWeights, start: number, values: number): number {
  let sum = 0;
  for (let k = 0; k < values; k++) sum = (sum + (state[k] ?? 0) * (layer[start + k] ?? 0)) | 0;
  return sum;
}

/** The state that a row's sums become. */
export function stateOf({ width, gates }: Parameters, key: number, layer: number, sums: Int32Array): Int8Array {
  const next = new Int8Array(width);
  for (let output = 0; output < width; output++)
    next[output] = requantise(key, layer, output, sums.subarray(output * gates, (output + 1) * gates)) - 8;
  return next;
}
