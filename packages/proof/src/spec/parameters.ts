/** Name of a parameter set, docs/proof.md §2. `development` is for tests: what it measures says nothing of a device. */
export type ParameterSetName = 'production' | 'cpu' | 'development';

/** What a proof is made with. Nothing in it is the prover's choice. Spec: docs/proof.md §2. */
export interface Parameters {
  readonly name: ParameterSetName;
  /** Number of the set in hashes and on the wire. */
  readonly number: number;
  /** Values in a row, n: a multiple of 256. */
  readonly width: number;
  /** Products that are combined into one value, G. */
  readonly gates: number;
  /** Keccaks in a chain for 32 bytes of weights, w. */
  readonly links: number;
  /** Rows of a compute pass: a power of two. */
  readonly computeRows: number;
  /** Lanes of a bandwidth pass, B. A proof's layers are a multiple of it. */
  readonly lanes: number;
  /** Rows of each lane; lanes × laneRows is a power of two. */
  readonly laneRows: number;
  /** Samples of each phase, q. */
  readonly samples: number;
  /** Phases that took less are not scored. */
  readonly leastComputeMs: number;
  readonly leastBandwidthMs: number;
}

export const parameterSets: Readonly<Record<ParameterSetName, Parameters>> = {
  production: {
    name: 'production',
    number: 1,
    width: 2048,
    gates: 16,
    links: 4,
    computeRows: 8192,
    lanes: 4,
    laneRows: 8,
    samples: 160,
    leastComputeMs: 20_000,
    leastBandwidthMs: 10_000,
  },
  cpu: {
    name: 'cpu',
    number: 2,
    width: 1024,
    gates: 4,
    links: 2,
    computeRows: 256,
    lanes: 4,
    laneRows: 1,
    samples: 160,
    leastComputeMs: 10_000,
    leastBandwidthMs: 5_000,
  },
  development: {
    name: 'development',
    number: 3,
    width: 256,
    gates: 2,
    links: 1,
    computeRows: 32,
    lanes: 2,
    laneRows: 2,
    samples: 160,
    leastComputeMs: 0,
    leastBandwidthMs: 0,
  },
};

/** @returns the set of that number, or undefined if there is none */
export function parametersOfNumber(number: number): Parameters | undefined {
  return Object.values(parameterSets).find((set) => set.number === number);
}

/** Most layers of a proof. */
export const MOST_LAYERS = 65_536;

/** Most passes of a phase. */
export const MOST_PASSES = 65_536;

/** Bytes of a layer's weights. */
export function layerBytes({ width, gates }: Parameters): number {
  return gates * width * width;
}

/** Bytes of one packed row. */
export function rowBytes({ width }: Parameters): number {
  return width / 2;
}
