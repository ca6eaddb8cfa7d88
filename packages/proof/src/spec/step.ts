import { at, type Hash, join, word } from './bytes.ts';
import type { Parameters } from './parameters.ts';

const GOLDEN = 0x9e3779b1;
const LAYER = 0x85ebca6b;

const BLOCK = 32;

/** Number of the block that holds the first weights of one gate and output of a layer. Spec: docs/proof.md §4. */
export function firstBlock({ gates, width }: Parameters, layer: number, gate: number, output: number): number {
  return ((layer * gates + gate) * width + output) * (width / BLOCK);
}

/** Weights of one gate and output of a layer, −128 … 127, one for each value of the input. */
export function weights(
  hash: Hash,
  parameters: Parameters,
  session: Uint8Array,
  layer: number,
  gate: number,
  output: number,
): Int8Array {
  const { width, links } = parameters;
  const column = new Int8Array(width);
  const first = firstBlock(parameters, layer, gate, output);
  for (let block = 0; block < width / BLOCK; block++) {
    let bytes = hash(join(session, word(first + block)));
    for (let link = 1; link < links; link++) bytes = hash(bytes);
    for (let index = 0; index < BLOCK; index++) column[block * BLOCK + index] = at(bytes, index) - 128;
  }
  return column;
}

/** Σ state·weights: exact, as no partial sum leaves ±2²¹. */
export function accumulate(state: Int8Array, column: Int8Array): number {
  let sum = 0;
  for (let index = 0; index < column.length; index++) sum += (state[index] ?? 0) * (column[index] ?? 0);
  return sum;
}

/**
 * The code, 0 … 15, that the gates' sums become. Spec: docs/proof.md §6.
 * @param key of the row, see `rowKey`
 * @param sums one for each gate
 */
export function requantise(key: number, layer: number, output: number, sums: ArrayLike<number>): number {
  let z = key ^ Math.imul(layer, LAYER) ^ Math.imul(output, GOLDEN);
  for (let gate = 0; gate < sums.length; gate++) z ^= Math.imul(at(sums, gate), Math.imul(2 * gate + 1, GOLDEN));
  z ^= z >>> 16;
  z = Math.imul(z, 0x7feb352d);
  z ^= z >>> 15;
  z = Math.imul(z, 0x846ca68b);
  return z >>> 28;
}
