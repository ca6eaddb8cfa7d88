import type { ErrorCode } from '@latent/protocol';
import { MOST_PASSES, type Parameters } from '../spec/parameters.ts';
import { phaseNames } from '../spec/phase.ts';
import type { ProofHeader } from '../wire/proof-header.ts';
import { measuredRatesDown, type PhaseTimesMs, provenRatesDown, type Rates } from './rates.ts';

/** What a challenge came to. `not measured` says nothing about the device: it is no failure and no zero. */
export type Verdict =
  | {
      readonly outcome: 'proven';
      /** What was done in the time that the observer saw. */
      readonly measured: Rates;
      /** The same, less what could have been forged without being seen. */
      readonly proven: Rates;
    }
  | { readonly outcome: 'failed'; readonly code: ErrorCode; readonly reason: string }
  | { readonly outcome: 'not measured'; readonly code: ErrorCode; readonly reason: string };

/** The verdict on a proof that has been verified. */
export function scoreProof(header: ProofHeader, times: PhaseTimesMs): Verdict {
  const { parameters } = header;
  const least = leastMs(parameters);
  const short = phaseNames.find((name) => times[name] < least[name]);
  if (short !== undefined) {
    const took = `The ${short} phase took ${Math.floor(times[short])} ms; below ${least[short]} ms nothing is scored.`;
    const ended = ` It ended at ${MOST_PASSES} passes, the most of a proof: with more layers each takes longer.`;
    const reason = header.passes[short] < MOST_PASSES ? took : `${took}${ended}`;
    return { outcome: 'not measured', code: 'PROOF_NOT_MEASURED', reason };
  }
  const measured = measuredRatesDown(header, times);
  return { outcome: 'proven', measured, proven: provenRatesDown(parameters, measured) };
}

/** Least durations of the phases, to be scored. */
export function leastMs({ leastComputeMs, leastBandwidthMs }: Parameters): PhaseTimesMs {
  return { compute: leastComputeMs, bandwidth: leastBandwidthMs };
}
