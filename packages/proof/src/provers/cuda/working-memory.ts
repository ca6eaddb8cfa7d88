import { HASH_BYTES } from '../../spec/bytes.ts';
import { CHUNK_VALUES } from '../../spec/digests.ts';
import { layerBytes, MOST_LAYERS, type Parameters, rowBytes } from '../../spec/parameters.ts';

/** Rows that are opened in one go, and states of them that can be asked for. */
export const REOPEN_ROWS = 256;
export const REOPEN_STATES = 3 * REOPEN_ROWS;

/** Lines of a tile: rows of a step with fast kernels are filled up to a multiple of it. */
export const TILE_ROWS = 128;

const ALIGNMENT = 256;

/** Whether the fast kernels can run a set: it is what they are made for, at any width. */
export function isTiled({ gates, computeRows, laneRows }: Parameters): boolean {
  return gates === 16 && computeRows % TILE_ROWS === 0 && laneRows === 8;
}

/** Sizes of all that the engine keeps on the device beside the weights, in bytes. */
function partsOf(parameters: Parameters, layers: number) {
  const { width, computeRows, lanes, laneRows } = parameters;
  const rows = Math.max(computeRows, REOPEN_ROWS);
  const bandwidthRows = lanes * laneRows;
  const bandwidthStates = bandwidthRows * (layers / lanes + 1);
  const chunks = width / CHUNK_VALUES;
  return {
    /** Two sets of rows, of which each step reads one and writes the other. */
    states0: rows * width,
    states1: rows * width,
    keys: rows * 4,
    seeds: REOPEN_ROWS * HASH_BYTES,
    rowNumbers: REOPEN_ROWS * 4,
    /** Of one state of all rows, or of all states of a bandwidth pass. */
    chunkDigests: Math.max(rows, bandwidthStates) * chunks * HASH_BYTES,
    /** Nodes of each row's tree that wait for a sibling. */
    frontier: rows * (Math.ceil(Math.log2(layers + 1)) + 1) * HASH_BYTES,
    roots: Math.max(rows, bandwidthRows) * HASH_BYTES,
    /** Of all states of a bandwidth pass, or of rows that are opened. */
    digests: Math.max(bandwidthStates, REOPEN_ROWS * (layers + 1)) * HASH_BYTES,
    bandwidthStates: bandwidthStates * width,
    bandwidthKeys: bandwidthRows * 4,
    opened: REOPEN_STATES * rowBytes(parameters),
    entries: REOPEN_STATES * 8,
    layerAddresses: layers * 8,
    arrivals: 4,
  };
}

export type WorkingMemory = Readonly<Record<keyof ReturnType<typeof partsOf>, bigint>>;

/** Bytes of one allocation that holds it all. */
export function workingBytes(parameters: Parameters, layers: number): number {
  return Object.values(partsOf(parameters, layers)).reduce((sum, bytes) => sum + roundUp(bytes, ALIGNMENT), 0);
}

/** Where the parts of an allocation of `workingBytes` are. */
export function placeWorkingMemory(parameters: Parameters, layers: number, start: bigint): WorkingMemory {
  const parts = partsOf(parameters, layers);
  let next = start;
  const place = (bytes: number) => {
    const at = next;
    next += BigInt(roundUp(bytes, ALIGNMENT));
    return at;
  };
  return {
    states0: place(parts.states0),
    states1: place(parts.states1),
    keys: place(parts.keys),
    seeds: place(parts.seeds),
    rowNumbers: place(parts.rowNumbers),
    chunkDigests: place(parts.chunkDigests),
    frontier: place(parts.frontier),
    roots: place(parts.roots),
    digests: place(parts.digests),
    bandwidthStates: place(parts.bandwidthStates),
    bandwidthKeys: place(parts.bandwidthKeys),
    opened: place(parts.opened),
    entries: place(parts.entries),
    layerAddresses: place(parts.layerAddresses),
    arrivals: place(parts.arrivals),
  };
}

/**
 * Layers that fit beside their working memory.
 * @param freeBytes what may be taken
 * @returns a multiple of the lanes
 */
export function fittingLayers(parameters: Parameters, freeBytes: number): number {
  const { lanes } = parameters;
  const most = Math.min(MOST_LAYERS, Math.floor(freeBytes / layerBytes(parameters)));
  let layers = Math.floor(most / lanes) * lanes;
  while (layers > 0 && layers * layerBytes(parameters) + workingBytes(parameters, layers) > freeBytes) layers -= lanes;
  return layers;
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
