import type { Cheat } from '../cheat.ts';
import { approximateSums } from '../provers/approximate-sums.ts';
import { precomputedPasses } from '../provers/guessed-seeds.ts';
import { openingsOfAnotherRow } from '../provers/other-openings.ts';
import { skippedLayers } from '../provers/skipped-layers.ts';
import { lateOpenings } from '../provers/withheld-openings.ts';
import { factorsOf, honestRates } from '../stage/device-model.ts';
import { createManualClock } from '../stage/manual-clock.ts';
import { modelOf, proverWith, rehearse, type Stage } from '../stage/stage.ts';
import { refusalOf } from './refusal.ts';
import { TAKEN, type Weakness } from './weakness.ts';

/** Rows are opened other than those that were asked. */
export const otherRowsOpened = tryCheat('other-rows-opened', openingsOfAnotherRow, {
  elsewhere:
    'opened rows are never compared with those that were asked (PrimeIntellect-ai/gpu-challenge, verifier_service.py, commit afc30783)',
  tried: 'opens rows that were computed in the place of rows that were not',
});

/** The seed is the hour. */
export const predictableSeed = tryCheat('predictable-seed', precomputedPasses, {
  elsewhere:
    'the seed of the challenge is the time in seconds (Datura-ai/compute-subnet, matrix_validation_service.py, commit 501ee052)',
  tried: 'runs all passes in advance, from beacons that it guesses',
});

/** One entry is looked at. */
export const oneSampledEntry = tryCheat('one-sampled-entry', skippedLayers, {
  elsewhere:
    'one entry of each product is sampled, so that half of the work is enough in half of the cases (neuralinternet/compute-subnet, commit 303b31e1)',
  tried: 'leaves half of the layers out, against 160 samples of each phase',
});

/** Nobody waits, and nobody stops waiting. */
export const noDeadline = tryCheat('no-deadline', lateOpenings, {
  elsewhere:
    'no deadline at all (PrimeIntellect-ai/gpu-challenge, commit afc30783; Datura-ai/compute-subnet, commit 501ee052)',
  tried: 'answers rightly, but after the deadline',
});

/** Near is right. */
export const tolerance = tryCheat('tolerance', approximateSums, {
  elsewhere:
    'results in floating point are compared within a tolerance, which a faster format uses up (PrimeIntellect-ai/gpu-challenge: 5·10⁻⁴)',
  tried: 'leaves an eighth of every sum out',
});

/** The prover says how long it took. */
export const reportedTimes: Weakness = {
  name: 'reported-times',
  elsewhere: 'the times that are scored are printed by the prover (neuralinternet/compute-subnet, commit 303b31e1)',
  tried: 'tells a thousand passes of progress and a clock that stands still; its score is held against its true rate',
  run: async (stage, trials) => {
    const clock = createManualClock();
    const { prover } = proverWith(stage, clock, {}, modelOf(stage));
    const attempt = await rehearse(
      stage,
      {
        prover: () => ({
          ...prover,
          runPhase: async ({ onProgress, ...call }) => {
            onProgress?.(1000, 1);
            // What it says goes nowhere: a declaration has no field for a time.
            return { ...(await prover.runPhase(call)), tookMs: 1 };
          },
        }),
      },
      clock,
    );
    const results = await Promise.all(Array.from({ length: trials }, (_, trial) => attempt.trial(trial)));
    return results.map((result) => {
      const { header, times } = result;
      if (header === undefined || times === undefined) return refusalOf(result);
      const scored = factorsOf(honestRates(stage.parameters, modelOf(stage)), header, times);
      return scored.operations <= 1 && scored.bandwidth <= 1 ? 'scored by the observer’s time' : TAKEN;
    });
  },
};

/** A failed check is written down, and nothing else. */
export const failuresLogged: Weakness = {
  name: 'failures-logged',
  elsewhere:
    'a checksum that does not match is logged, and the device is listed (Datura-ai/compute-subnet, commit 501ee052)',
  tried: 'sends a proof with one wrong bit in its last hash',
  run: async (stage, trials) => {
    const attempt = await rehearse(stage, {
      prover: (clock) => proverWith(stage, clock, {}, modelOf(stage)).prover,
      open: async ({ sampleBeacon, openBy }) => {
        const proof = await openBy(sampleBeacon);
        return proof.with(proof.length - 1, (proof.at(-1) ?? 0) ^ 1);
      },
    });
    return Promise.all(Array.from({ length: trials }, async (_, trial) => refusalOf(await attempt.trial(trial))));
  },
};

function tryCheat(name: string, cheat: Cheat, words: Pick<Weakness, 'elsewhere' | 'tried'>): Weakness {
  return {
    name,
    ...words,
    run: async (stage: Stage, trials) => {
      const attempt = await cheat.begin(stage);
      return Promise.all(Array.from({ length: trials }, async (_, trial) => refusalOf(await attempt.trial(trial))));
    },
  };
}
