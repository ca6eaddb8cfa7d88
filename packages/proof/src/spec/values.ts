import { at, type Hash, join, word } from './bytes.ts';
import type { Parameters } from './parameters.ts';

const GROUP_VALUES = 64;
const GROUP_BYTES = 32;

/** Values of a packed row, −8 … 7. Spec: docs/proof.md §5. */
export function unpackRow(packed: Uint8Array): Int8Array {
  const values = new Int8Array(packed.length * 2);
  for (let index = 0; index < packed.length; index++) {
    const first = Math.floor(index / GROUP_BYTES) * GROUP_VALUES + (index % GROUP_BYTES);
    values[first] = (at(packed, index) & 15) - 8;
    values[first + GROUP_BYTES] = (at(packed, index) >> 4) - 8;
  }
  return values;
}

/** @param values −8 … 7, a multiple of 64 of them */
export function packRow(values: Int8Array): Uint8Array {
  const packed = new Uint8Array(values.length / 2);
  for (let index = 0; index < packed.length; index++) {
    const first = Math.floor(index / GROUP_BYTES) * GROUP_VALUES + (index % GROUP_BYTES);
    packed[index] = (at(values, first) + 8) | ((at(values, first + GROUP_BYTES) + 8) << 4);
  }
  return packed;
}

/** The code, 0 … 15, of value `index` of a packed row, or of a part of one that begins at a multiple of 64 values. */
export function codeAt(packed: Uint8Array, index: number): number {
  const within = index % GROUP_VALUES;
  const byte = at(packed, Math.floor(index / GROUP_VALUES) * GROUP_BYTES + (within % GROUP_BYTES));
  return within < GROUP_BYTES ? byte & 15 : byte >> 4;
}

/** State 0 of a row, packed. @param seed the pass's */
export function inputRow(hash: Hash, { width }: Parameters, seed: Uint8Array, row: number): Uint8Array {
  const groups = Array.from({ length: width / GROUP_VALUES }, (_, group) => hash(join(seed, word(row), word(group))));
  return join(...groups);
}

/** What makes this row of this pass part from every other, 32 bits unsigned. */
export function rowKey(hash: Hash, { width }: Parameters, seed: Uint8Array, row: number): number {
  const drawn = hash(join(seed, word(row), word(width / GROUP_VALUES)));
  return new DataView(drawn.buffer, drawn.byteOffset, drawn.length).getUint32(0);
}
