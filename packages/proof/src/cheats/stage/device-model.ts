import { measuredRatesDown, type PhaseTimesMs, type Rates } from '../../challenge/rates.ts';
import { layerBytes, type Parameters } from '../../spec/parameters.ts';
import { type PhaseName, phaseOf } from '../../spec/phase.ts';
import type { ProofHeader } from '../../wire/proof-header.ts';

/**
 * What an honest pass takes on every modelled device. Only ratios matter: a compute pass of the set `production` takes GPUs
 * 30 to 60 times as long as a bandwidth pass, as it has 256 times the rows but multiplies where the other one reads.
 */
export const HONEST_PASS_MS = { compute: 40_000, bandwidth: 1000 };

/** What one pass, or the filling, took of a device. */
export interface Work {
  /** Multiplications of a value and a weight. */
  products: number;
  /** Bytes of weights read from the device's memory. */
  bytesRead: number;
  /** Bytes of weights derived once more, as they were not kept. */
  bytesMade: number;
  /** Bytes of weights that came from elsewhere: host memory, a disk, another device. */
  bytesFetched: number;
}

/** How fast a device is: what turns work into time on a trial's clock. Rates are per millisecond. */
export interface DeviceModel {
  readonly products: number;
  readonly bytesRead: number;
  readonly bytesMade: number;
  readonly bytesFetched: number;
  /** Layers that its memory holds. */
  readonly layers: number;
}

export function noWork(): Work {
  return { products: 0, bytesRead: 0, bytesMade: 0, bytesFetched: 0 };
}

/**
 * A device that holds `layers`.
 * @param readToMake how many times faster weights are read than derived
 * @param readToFetch how many times faster they are read than fetched from elsewhere
 */
export function modelDevice(
  parameters: Parameters,
  layers: number,
  readToMake: number,
  readToFetch = readToMake,
): DeviceModel {
  const bytes = layers * layerBytes(parameters);
  const bytesRead = bytes / HONEST_PASS_MS.bandwidth;
  return {
    products: (phaseOf(parameters, 'compute', layers).rows * bytes) / HONEST_PASS_MS.compute,
    bytesRead,
    bytesMade: bytesRead / readToMake,
    bytesFetched: bytesRead / readToFetch,
    layers,
  };
}

/**
 * How long the work took in a phase. All that can overlap does, in the cheat's favour: a compute pass waits for its
 * products only, or for weights that were not there; a bandwidth pass for the slowest of its three sources.
 */
export function durationMs(model: DeviceModel, phase: PhaseName, work: Work): number {
  const elsewhere = [work.bytesMade / model.bytesMade, work.bytesFetched / model.bytesFetched];
  const own = phase === 'compute' ? work.products / model.products : work.bytesRead / model.bytesRead;
  return Math.max(own, ...elsewhere);
}

/** The three numbers of a proof as multiples of what the device has. */
export interface Factors {
  readonly operations: number;
  readonly memory: number;
  readonly bandwidth: number;
}

/** What an honest proof of the device is scored. */
export function honestRates(parameters: Parameters, model: DeviceModel): Rates {
  return {
    operationsPerSecond: BigInt(Math.round(2 * model.products * 1000)),
    memoryBytes: BigInt(model.layers * layerBytes(parameters)),
    bytesPerSecond: BigInt(Math.round(model.bytesRead * 1000)),
  };
}

/** What a proof is scored, if it is taken, as multiples of what the device has. */
export function factorsOf(honest: Rates, header: ProofHeader, times: PhaseTimesMs): Factors {
  const scored = measuredRatesDown(header, times);
  return {
    operations: Number(scored.operationsPerSecond) / Number(honest.operationsPerSecond),
    memory: Number(scored.memoryBytes) / Number(honest.memoryBytes),
    bandwidth: Number(scored.bytesPerSecond) / Number(honest.bytesPerSecond),
  };
}
