import { layerBytes, type Parameters } from '../spec/parameters.ts';
import { type PhaseName, phaseOf } from '../spec/phase.ts';
import type { ProofHeader } from '../wire/proof-header.ts';

/** The three numbers of a proof. Operations are integer multiplications and additions, two for each product. */
export interface Rates {
  readonly operationsPerSecond: bigint;
  readonly memoryBytes: bigint;
  readonly bytesPerSecond: bigint;
}

/** How long each phase took, by the observer's clock: from its beacon's publication to its commitment's receipt. */
export type PhaseTimesMs = Readonly<Record<PhaseName, number>>;

/** Multiplications and additions of a compute phase. */
export function operationsOf({ parameters, layers, passes }: ProofHeader): bigint {
  const { rows } = phaseOf(parameters, 'compute', layers);
  return 2n * BigInt(rows) * BigInt(layerBytes(parameters)) * BigInt(layers) * BigInt(passes.compute);
}

/** Bytes of weights read in a bandwidth phase. */
export function bytesReadOf({ parameters, layers, passes }: ProofHeader): bigint {
  return BigInt(layerBytes(parameters)) * BigInt(layers) * BigInt(passes.bandwidth);
}

/** Lower bounds on what the device did. Spec: docs/proof.md §11. @param times at least 1 ms each */
export function measuredRatesDown(header: ProofHeader, times: PhaseTimesMs): Rates {
  const perSecond = (amount: bigint, timeMs: number) => (amount * 1000n) / BigInt(Math.max(1, Math.ceil(timeMs)));
  return {
    operationsPerSecond: perSecond(operationsOf(header), times.compute),
    memoryBytes: BigInt(layerBytes(header.parameters)) * BigInt(header.layers),
    bytesPerSecond: perSecond(bytesReadOf(header), times.bandwidth),
  };
}

/** Chance that a forger is not found that `proven` figures leave. */
export const UNSEEN_CHANCE = 1e-3;

/** A made-up code is right once in so many times. */
const CODES = 16;

/** Chance that a proof passes of which a fraction `forged` of one phase's states is made up. Spec: docs/proof.md §11. */
export function acceptanceOf({ samples }: Parameters, forged: number): number {
  return (1 - (forged * (CODES - 1)) / CODES) ** samples;
}

/** Least share of the measured work that was done, but for a chance of `UNSEEN_CHANCE`; in 1/10,000, rounded down. */
export function provenPerMyriadDown({ samples }: Parameters): bigint {
  const forged = ((1 - UNSEEN_CHANCE ** (1 / samples)) * CODES) / (CODES - 1);
  return BigInt(Math.floor(10_000 * Math.max(0, 1 - 2 * forged)));
}

/** What a verified proof leaves no reasonable doubt about. */
export function provenRatesDown(parameters: Parameters, measured: Rates): Rates {
  const share = provenPerMyriadDown(parameters);
  const scale = (amount: bigint) => (amount * share) / 10_000n;
  return {
    operationsPerSecond: scale(measured.operationsPerSecond),
    memoryBytes: scale(measured.memoryBytes),
    bytesPerSecond: scale(measured.bytesPerSecond),
  };
}
