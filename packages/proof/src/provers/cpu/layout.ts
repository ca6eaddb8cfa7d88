import { HASH_BYTES } from '../../spec/bytes.ts';
import { type Parameters, rowBytes } from '../../spec/parameters.ts';
import { MOST_ROWS } from '../../wasm/kernel-instance.ts';

/** One page less than a memory can have, so that no address of an end wraps around. */
const MOST_BYTES = 65_535 * 65_536;
const LINE_BYTES = 64;

/** The part of every layer that one worker holds: bytes `firstUnit` … `firstUnit + units − 1` of each packed row. */
export interface Share {
  readonly firstUnit: number;
  readonly units: number;
}

/** Where a worker keeps what in each of its memories, in bytes from their beginning. */
export interface Layout {
  /** The session, or the seed of a row: 32 bytes. */
  readonly seed: number;
  readonly keys: number;
  /** Rows as they come from the other workers. */
  readonly packed: number;
  /** The same rows, as i16. */
  readonly values: number;
  /** What the worker makes of them: its units of the next state. */
  readonly codes: number;
  /** Digests of a row's states, of which a tree is made. */
  readonly nodes: number;
  readonly weights: number;
  /** Bytes of the share of one layer. */
  readonly layerBytes: number;
  /** Layers in each memory but the last, which may have fewer. */
  readonly layersEach: number;
}

/** Shares differ by one unit at most. @param workers at most one for each unit */
export function shareOf(parameters: Parameters, worker: number, workers: number): Share {
  const units = rowBytes(parameters);
  const firstUnit = Math.floor((worker * units) / workers);
  return { firstUnit, units: Math.floor(((worker + 1) * units) / workers) - firstUnit };
}

/**
 * @param heapBase first byte that the kernels leave free
 * @param mostBytes of one memory; less than there can be only in tests
 */
export function layOut(
  parameters: Parameters,
  { units }: Share,
  layers: number,
  heapBase: number,
  mostBytes = MOST_BYTES,
): Layout {
  let end = heapBase;
  const take = (bytes: number): number => {
    const start = Math.ceil(end / LINE_BYTES) * LINE_BYTES;
    end = start + bytes;
    return start;
  };
  const [seed, keys] = [take(HASH_BYTES), take(4 * MOST_ROWS)];
  const [packed, values] = [take(MOST_ROWS * rowBytes(parameters)), take(2 * MOST_ROWS * parameters.width)];
  const [codes, nodes] = [take(MOST_ROWS * units), take((layers + 2) * HASH_BYTES)];
  const weights = take(0);
  const layerBytes = 2 * parameters.gates * parameters.width * units;
  const layersEach = Math.min(layers, Math.floor((mostBytes - weights) / layerBytes));
  return { seed, keys, packed, values, codes, nodes, weights, layerBytes, layersEach };
}

/** Bytes of memory `index` of a worker. */
export function memoryBytes(layout: Layout, layers: number, index: number): number {
  const held = Math.min(layout.layersEach, layers - index * layout.layersEach);
  return layout.weights + held * layout.layerBytes;
}
