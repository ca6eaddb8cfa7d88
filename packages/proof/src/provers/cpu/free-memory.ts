import { freemem } from 'node:os';
import { HASH_BYTES } from '../../spec/bytes.ts';
import { layerBytes, MOST_LAYERS, type Parameters } from '../../spec/parameters.ts';

const MIB = 2 ** 20;
/** For the rest of the machine: what other processes take while a proof goes on. */
const SHARE_LEFT = 1 / 32;
const LEFT_BYTES = 256 * MIB;
/** A thread's own heap and working memory. */
const WORKER_BYTES = 32 * MIB;

/** Memory that this process can still take, in bytes. What a control group forbids is not free. */
export function freeBytes(): number {
  return Math.min(freemem(), process.availableMemory());
}

/** Bytes that a layer takes: its weights, and digests of states while rows are run and opened. */
export function bytesOfLayer(parameters: Parameters): number {
  const { computeRows, samples, lanes } = parameters;
  const opened = samples + samples / lanes;
  return layerBytes(parameters) + HASH_BYTES * (computeRows + 2 * opened);
}

/** @returns layers that fit into `free` bytes with some left over, a multiple of the lanes; 0 if not even one for each lane does */
export function layersThatFit(parameters: Parameters, free: number, workers: number): number {
  const usable = free * (1 - SHARE_LEFT) - LEFT_BYTES - workers * WORKER_BYTES;
  const layers = Math.min(MOST_LAYERS, Math.max(0, usable / bytesOfLayer(parameters)));
  return Math.floor(layers / parameters.lanes) * parameters.lanes;
}
