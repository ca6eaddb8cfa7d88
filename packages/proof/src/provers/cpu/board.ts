import { HASH_BYTES } from '../../spec/bytes.ts';
import { type Parameters, rowBytes } from '../../spec/parameters.ts';
import type { Phase } from '../../spec/phase.ts';
import { MOST_ROWS } from '../../wasm/kernel-instance.ts';

/** Rows that go through the same layers together, and wait for nobody but each other. */
export interface Strand {
  /** Its first row on the board. */
  readonly firstRow: number;
  /** 1 … 128. */
  readonly rows: number;
  /** Layer of step 0, and how many further that of each next step is. */
  readonly firstLayer: number;
  readonly stride: number;
  readonly steps: number;
  /** Where the digests of its first row's states begin; (steps + 1) × 32 bytes for each row. */
  readonly digestsAt: number;
}

/** A row of a board: the pass it belongs to, and its number there. */
export interface BoardRow {
  /** Index into `seeds`. */
  readonly seed: number;
  readonly row: number;
}

/** A state that is wanted whole. */
export interface Wanted {
  /** On the board. */
  readonly row: number;
  readonly state: number;
}

/** What all workers see while rows are run. Everything else each has for itself. */
export interface Board {
  readonly layers: number;
  readonly strands: readonly Strand[];
  readonly rowCount: number;
  /** Whether the rows' roots are wanted. */
  readonly roots: boolean;
  readonly wanted: readonly Wanted[];
  /** How many times a worker has finished a state, by strand; then how many have finished all; one line of 64 bytes each. */
  readonly progress: SharedArrayBuffer;
  /** All rows twice, packed: even states, then odd ones. */
  readonly states: SharedArrayBuffer;
  /** u32 each. */
  readonly keys: SharedArrayBuffer;
  readonly digests: SharedArrayBuffer;
  readonly rowRoots: SharedArrayBuffer;
  /** The states wanted, in that order. */
  readonly kept: SharedArrayBuffer;
}

/** i32 from one counter of `progress` to the next, so that no two share a line. */
export const COUNTER_STRIDE = 16;

/** Rows of a pass, in as few strands as there can be; a compute pass of many rows has more, so that caches hold a strand. */
export function passBoard(parameters: Parameters, phase: Phase, layers: number): Board {
  const together = phase.name === 'bandwidth' ? parameters.laneRows : Math.min(MOST_ROWS, Math.ceil(phase.rows / 2));
  const groups = [];
  for (let firstRow = 0; firstRow < phase.rows; firstRow += together) {
    groups.push({ phase, rows: Math.min(together, phase.rows - firstRow), anyRow: firstRow });
  }
  return makeBoard(parameters, layers, groups, [], true);
}

/** Rows in the order of their strands: those of one phase and lane stand together. */
export interface RowGroup {
  readonly phase: Phase;
  /** Any number, also above 128. */
  readonly rows: number;
  /** A row of the phase that goes through the same layers. */
  readonly anyRow: number;
}

/** @throws RangeError if the memory cannot be had */
export function makeBoard(
  parameters: Parameters,
  layers: number,
  groups: readonly RowGroup[],
  wanted: readonly Wanted[],
  roots: boolean,
): Board {
  const strands: Strand[] = [];
  let [rowCount, digestBytes] = [0, 0];
  for (const { phase, rows, anyRow } of groups) {
    const firstLayer = phase.layerOf(anyRow, 0);
    const stride = phase.steps > 1 ? phase.layerOf(anyRow, 1) - firstLayer : 1;
    for (let left = rows; left > 0; ) {
      const now = Math.min(MOST_ROWS, left);
      const strand = { firstLayer, stride, steps: phase.steps, digestsAt: digestBytes };
      strands.push({ firstRow: rowCount, rows: now, ...strand });
      rowCount += now;
      digestBytes += now * (phase.steps + 1) * HASH_BYTES;
      left -= now;
    }
  }
  const packedBytes = rowBytes(parameters);
  return {
    ...{ layers, strands, rowCount, roots, wanted },
    progress: new SharedArrayBuffer((strands.length + 1) * COUNTER_STRIDE * 4),
    states: new SharedArrayBuffer(2 * rowCount * packedBytes),
    keys: new SharedArrayBuffer(4 * rowCount),
    digests: new SharedArrayBuffer(digestBytes),
    rowRoots: new SharedArrayBuffer(roots ? rowCount * HASH_BYTES : 0),
    kept: new SharedArrayBuffer(wanted.length * packedBytes),
  };
}

/** Where the digest of a state of the strand's row `row` lies. */
export function digestAt(strand: Strand, row: number, state: number): number {
  return strand.digestsAt + (row * (strand.steps + 1) + state) * HASH_BYTES;
}
