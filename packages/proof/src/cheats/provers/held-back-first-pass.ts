import type { Prover } from '../../provers/prover.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { modelOf, proverWith, rehearse } from '../stage/stage.ts';

/**
 * Keeps the outcome of its first pass back until the last is done, so that between the first word and the last there is next
 * to no time.
 *
 * Gains: nothing here, as nothing between beacon and commitment counts. Where a rate is taken from the slope between two
 * messages it gains what it likes: `variants/scored-by-slope.ts`.
 */
export const heldBackFirstPass: Cheat = {
  name: 'held-back-first-pass',
  summary: 'says nothing of its first pass until its last is done, to make the slope between them steep',
  claims: { ...honestClaims, operations: 2, bandwidth: 2 },
  predicted: 0,
  stoppedBy: 'time',
  explanation:
    'A phase is timed from the publication of its beacon to the receipt of its commitment. No message between them counts.',
  begin: (stage) =>
    rehearse(stage, { prover: (clock) => holdBack(proverWith(stage, clock, {}, modelOf(stage)).prover) }),
};

/** Tells of all passes at once, when the last is done. */
export function holdBack(prover: Prover): Prover {
  return {
    ...prover,
    runPhase: async ({ onProgress, ...call }) => {
      const declaration = await prover.runPhase(call);
      for (let pass = 1; pass <= declaration.passes; pass++) onProgress?.(pass, 0);
      return declaration;
    },
  };
}
