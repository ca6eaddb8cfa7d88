import { loadKernel } from '@latent/proof';
import { confidenceOf, countKindDraws } from '@latent/proof/cheats';
import { aimAtMost, type Benchmark } from './harness/benchmark.ts';

/** Where 9.4 of 10,000 are predicted, so many tell it from 10 of 10,000. */
const DRAWS = 1_000_000;
const DRAWS_PER_COMMITMENT = 10_000;
const TOLD = 50_000;

/** How often samples miss all that a prover forged which collapses rows at f = 1/22. */
export const proofDraws: Benchmark = {
  name: 'proof-draws',
  summary: 'a million sample beacons over collapsed rows: how many draw samples that hit nothing forged',
  async run({ runs = DRAWS, signal, onProgress }) {
    const kernel = await loadKernel();
    const { draws, kind, commitments } = await countKindDraws({
      ...{ kernel, draws: runs, drawsPerCommitment: DRAWS_PER_COMMITMENT, seed: 'draws', signal },
      onProgress: (done) => {
        if (done % TOLD === 0) onProgress(`${done} of ${runs}`);
      },
    });
    const { measured, low, high } = confidenceOf(kind, draws, 0.95);
    return {
      tables: [
        {
          title: 'Draws',
          columns: [
            { name: 'draws', unit: '1' },
            { name: 'kind', unit: 'draws' },
            { name: 'share', unit: 'of draws' },
            { name: 'least', unit: 'of draws, 95 %' },
            { name: 'most', unit: 'of draws, 95 %' },
            { name: 'commitments', unit: '1' },
          ],
          rows: [{ name: 'collapsed-rows', figures: [draws, kind, measured, low, high, commitments] }],
        },
      ],
      aims: [aimAtMost('kind draws over collapsed rows, upper end of 95 %', high, 1e-3, 'of draws')],
      notes: [
        'Nothing is opened or verified: samples are drawn, and looked up in what the prover knows it forged.',
        'The size and the seed were set before the run; the draws of proof-cheats are others.',
      ],
    };
  },
};
