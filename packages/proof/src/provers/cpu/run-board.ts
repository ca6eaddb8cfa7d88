import { at, HASH_BYTES } from '../../spec/bytes.ts';
import { rowBytes } from '../../spec/parameters.ts';
import { type Board, type BoardRow, digestAt, type Strand } from './board.ts';
import { type Counters, useCounters } from './counters.ts';
import { type Bank, findLayer, type Weights } from './weights.ts';

/** What one worker works with while a board is run. */
interface Work {
  readonly weights: Weights;
  readonly worker: number;
  readonly workers: number;
  readonly board: Board;
  readonly counters: Counters;
  readonly states: Uint8Array;
  readonly keys: Uint32Array;
  readonly digests: Uint8Array;
  readonly kept: Uint8Array;
  /** Place in `kept` by state, by row of the board. */
  readonly wanted: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

/**
 * One worker's part of running all rows of a board: every worker is given the same, and none returns before all have done
 * what it waits for.
 *
 * A state is read by all and written by all, each its own bytes. The two halves of `states` are enough: whoever writes state t + 2
 * over state t has waited until all had made state t + 1, and nobody makes t + 1 before it has read and digested t.
 * @param rows of the board, in order
 */
export function runBoard(
  weights: Weights,
  place: { readonly worker: number; readonly workers: number },
  board: Board,
  seeds: readonly Uint8Array[],
  rows: readonly BoardRow[],
): void {
  const work: Work = {
    ...{ weights, ...place, board },
    counters: useCounters(board.progress, place.workers),
    states: new Uint8Array(board.states),
    keys: new Uint32Array(board.keys),
    digests: new Uint8Array(board.digests),
    kept: new Uint8Array(board.kept),
    wanted: placesOf(board),
  };
  drawRows(work, seeds, rows);
  for (let layer = 0; layer < board.layers; layer++) {
    for (const [index, strand] of board.strands.entries()) {
      const step = (layer - strand.firstLayer) / strand.stride;
      if (Number.isInteger(step) && step >= 0 && step < strand.steps) takeStep(work, index, strand, step, layer);
    }
  }
  for (const [index, strand] of board.strands.entries()) {
    const [bank] = weights.banks;
    work.counters.wait(index, strand.steps + 1);
    readState(work, bank, strand, strand.steps);
    digestState(work, bank, strand, strand.steps);
  }
  if (board.roots) makeRoots(work);
}

function placesOf({ wanted }: Board): ReadonlyMap<number, ReadonlyMap<number, number>> {
  const places = new Map<number, Map<number, number>>();
  for (const [place, { row, state }] of wanted.entries()) {
    const ofRow = places.get(row) ?? new Map<number, number>();
    places.set(row, ofRow.set(state, place));
  }
  return places;
}

/** State 0 and keys: each worker makes those of every `workers`-th row. */
function drawRows(work: Work, seeds: readonly Uint8Array[], rows: readonly BoardRow[]): void {
  const { weights, worker, workers, board } = work;
  const { parameters, layout, banks } = weights;
  const [{ kernel, bytes }] = banks;
  for (const [index, strand] of board.strands.entries()) {
    for (let row = strand.firstRow; row < strand.firstRow + strand.rows; row++) {
      if (row % workers !== worker) continue;
      const own = rows[row];
      const seed = own && seeds[own.seed];
      if (own === undefined || seed === undefined) throw new RangeError(`row ${row} of ${rows.length}`);
      bytes.set(seed, layout.seed);
      work.keys[row] = kernel.drawRow(layout.seed, own.row, parameters.width, layout.packed);
      const packed = bytes.subarray(layout.packed, layout.packed + rowBytes(parameters));
      work.states.set(packed, stateAt(work, row, 0));
    }
    work.counters.add(index);
  }
}

function takeStep(work: Work, index: number, strand: Strand, step: number, layer: number): void {
  const { parameters, share, layout } = work.weights;
  const { bank, at: weightsAt } = findLayer(work.weights, layer);
  work.counters.wait(index, step + 1);
  readState(work, bank, strand, step);
  digestState(work, bank, strand, step);
  const { kernel, bytes } = bank;
  for (let row = 0; row < strand.rows; row++) {
    new DataView(bytes.buffer).setUint32(layout.keys + 4 * row, at(work.keys, strand.firstRow + row), true);
  }
  const { width, gates } = parameters;
  const { firstUnit, units } = share;
  kernel.unpackRows(layout.packed, strand.rows, width, layout.values);
  const [values, keys, codes] = [layout.values, layout.keys, layout.codes];
  kernel.multiplyUnits(values, keys, strand.rows, width, gates, layer, firstUnit, units, weightsAt, codes);
  for (let row = 0; row < strand.rows; row++) {
    const from = layout.codes + row * units;
    copyFew(bytes, from, work.states, stateAt(work, strand.firstRow + row, step + 1) + firstUnit, units);
  }
  work.counters.add(index);
}

/** A worker has few bytes of many rows: calls and views would cost more than the bytes. */
function copyFew(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, count: number): void {
  for (let index = 0; index < count; index++) to[toAt + index] = from[fromAt + index] ?? 0;
}

function stateAt({ weights, board }: Work, row: number, state: number): number {
  return ((state % 2) * board.rowCount + row) * rowBytes(weights.parameters);
}

function readState(work: Work, bank: Bank, strand: Strand, state: number): void {
  const from = stateAt(work, strand.firstRow, state);
  const length = strand.rows * rowBytes(work.weights.parameters);
  bank.bytes.set(work.states.subarray(from, from + length), work.weights.layout.packed);
}

/** Digests of the state that was just read, of those rows whose turn with this worker it is; they take turns with all of them. */
function digestState(work: Work, bank: Bank, strand: Strand, state: number): void {
  const { weights, worker, workers, board } = work;
  const { parameters, layout } = weights;
  for (let row = 0; row < strand.rows; row++) {
    const onBoard = strand.firstRow + row;
    if ((state * board.rowCount + onBoard) % workers !== worker) continue;
    const packed = layout.packed + row * rowBytes(parameters);
    bank.kernel.digestRow(packed, parameters.width, layout.nodes);
    const digest = bank.bytes.subarray(layout.nodes, layout.nodes + HASH_BYTES);
    work.digests.set(digest, digestAt(strand, row, state));
    const place = work.wanted.get(onBoard)?.get(state);
    if (place === undefined) continue;
    work.kept.set(bank.bytes.subarray(packed, packed + rowBytes(parameters)), place * rowBytes(parameters));
  }
}

/** Once all states are digested, each worker makes the trees of every `workers`-th row. */
function makeRoots({ weights, worker, workers, board, counters, digests }: Work): void {
  const { layout, banks } = weights;
  const [{ kernel, bytes }] = banks;
  const roots = new Uint8Array(board.rowRoots);
  counters.add(board.strands.length);
  counters.wait(board.strands.length, 1);
  for (const strand of board.strands) {
    for (let row = 0; row < strand.rows; row++) {
      const onBoard = strand.firstRow + row;
      if (onBoard % workers !== worker) continue;
      bytes.set(digests.subarray(digestAt(strand, row, 0), digestAt(strand, row + 1, 0)), layout.nodes);
      kernel.treeRoot(layout.nodes, strand.steps + 1);
      roots.set(bytes.subarray(layout.nodes, layout.nodes + HASH_BYTES), onBoard * HASH_BYTES);
    }
  }
}
