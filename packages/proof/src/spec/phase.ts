import type { Parameters } from './parameters.ts';

/** Compute passes take operations, bandwidth passes take reading all of the memory. */
export type PhaseName = 'compute' | 'bandwidth';

export const phaseNames: readonly PhaseName[] = ['compute', 'bandwidth'];

/** One phase of a proof of `layers` layers. Spec: docs/proof.md §3. */
export interface Phase {
  readonly name: PhaseName;
  /** 0 compute, 1 bandwidth. */
  readonly number: number;
  /** Rows of a pass. */
  readonly rows: number;
  /** Steps that a row goes, T; it has T + 1 states. */
  readonly steps: number;
  /** The layer that `row` goes through in `step`. */
  readonly layerOf: (row: number, step: number) => number;
}

/** @param layers a multiple of the set's lanes */
export function phaseOf(parameters: Parameters, name: PhaseName, layers: number): Phase {
  const { computeRows, lanes, laneRows } = parameters;
  switch (name) {
    case 'compute':
      return {
        name,
        number: 0,
        rows: computeRows,
        steps: layers,
        layerOf: (_, step) => step,
      };
    case 'bandwidth':
      return {
        name,
        number: 1,
        rows: lanes * laneRows,
        steps: layers / lanes,
        layerOf: (row, step) => step * lanes + Math.floor(row / laneRows),
      };
  }
}
