import type { Kernel } from '../kernel.ts';
import { nobleHash } from './noble.ts';
import { accumulate, weights } from './step.ts';
import { unpackRow } from './values.ts';

/** The specification as a kernel: plain, slow, and what the WASM kernel is held against. */
export const referenceKernel: Kernel = {
  hash: nobleHash,
  accumulate: (parameters, session, layer, output, packed) => {
    const state = unpackRow(packed);
    return Int32Array.from({ length: parameters.gates }, (_, gate) =>
      accumulate(state, weights(nobleHash, parameters, session, layer, gate, output)),
    );
  },
};
