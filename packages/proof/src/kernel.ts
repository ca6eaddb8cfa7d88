import type { Hash } from './spec/bytes.ts';
import type { Parameters } from './spec/parameters.ts';

/** What verifying needs to be fast at. Stateless towards its caller; one call at a time. */
export interface Kernel {
  /** Keccak-256. */
  readonly hash: Hash;
  /**
   * The gates' sums for one output of one layer, weights derived on the way. Spec: docs/proof.md §4, §6.
   * @param session 32 bytes
   * @param packed the state before, packed
   * @returns one sum for each gate
   */
  readonly accumulate: (
    parameters: Parameters,
    session: Uint8Array,
    layer: number,
    output: number,
    packed: Uint8Array,
  ) => Int32Array;
}
