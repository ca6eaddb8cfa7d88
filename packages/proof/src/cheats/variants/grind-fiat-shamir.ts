import { LatentError } from '@latent/protocol';
import { acceptanceOf } from '../../challenge/rates.ts';
import { verifyProof } from '../../verify/verify-proof.ts';
import { decodeHeader, deriveFromHeader } from '../../wire/proof-header.ts';
import { collapsedRows } from '../provers/collapsed-rows.ts';
import { grindingProver } from '../provers/ground-root.ts';
import { MOST_ROOTS } from '../stage/grind-root.ts';
import { rehearse, type Stage } from '../stage/stage.ts';
import type { Variant } from './variant.ts';

/**
 * Draws the samples from a hash of the proof's own root, as Fiat and Shamir have it, and lets a forger try roots.
 *
 * Each trial is one forger that tries until its samples are kind, and a whole verification of what it then sends.
 */
export const grindFiatShamir: Variant = {
  name: 'grind-fiat-shamir',
  without: 'the sample beacon: samples follow from the root alone',
  run: async (stage, trials) => {
    let [accepted, tries] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      stage.signal.throwIfAborted();
      const forger = await forge({ ...stage, draw: (...words) => stage.draw('forger', trial, ...words) });
      tries += forger.tries;
      if (forger.isTaken) accepted++;
    }
    const expected = Math.round(1 / acceptanceOf(stage.parameters, 1 / 22));
    return {
      trials,
      accepted,
      predicted: 1,
      gain: collapsedRows.claims.operations,
      finding: `${Math.round(tries / trials)} roots tried for each proof on average, ${expected} predicted; the cheat ground-root does the same against the true scheme`,
    };
  },
};

async function forge(stage: Stage): Promise<{ readonly tries: number; readonly isTaken: boolean }> {
  const { hash } = stage.kernel;
  let tries = () => 0;
  let proof = new Uint8Array();
  await rehearse(stage, {
    prover: (clock) => {
      const grinding = grindingProver(stage, clock, hash, MOST_ROOTS);
      tries = grinding.tries;
      return grinding.prover;
    },
    open: async ({ sampleBeacon, openBy }) => {
      const { root } = deriveFromHeader(hash, decodeHeader(await openBy(sampleBeacon)));
      proof = (await openBy(hash(root))).slice();
      return proof;
    },
  });
  const isTaken = await verifyProof(stage.kernel, proof).then(
    () => true,
    (error: unknown) => {
      if (error instanceof LatentError && error.code.startsWith('PROOF_')) return false;
      throw error;
    },
  );
  return { tries: tries(), isTaken };
}
