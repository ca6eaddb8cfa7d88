import { acceptanceOf } from '../../challenge/rates.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { decodeHeader } from '../../wire/proof-header.ts';
import type { Cheat } from '../cheat.ts';
import { hitsForged } from '../stage/draw-hits.ts';
import type { KeepingEngine } from '../stage/keeping-engine.ts';
import { modelOf, proverWith, rehearse } from '../stage/stage.ts';
import { collapse, collapsedRows } from './collapsed-rows.ts';

/**
 * Collapses rows, looks at the samples, and falls silent unless none of them hits what it forged.
 *
 * Gains: nothing, as silence after the sample beacon is failure. Were it `not measured`, it could try until the samples are kind.
 */
export const withheldOpenings: Cheat = {
  name: 'withheld-openings',
  summary: 'forges as collapsed-rows does, and answers only if no sample hits what it forged',
  claims: collapsedRows.claims,
  forged: 1 / 22,
  predicted: acceptanceOf(parameterSets.development, 1 / 22),
  stoppedBy: 'samples',
  explanation:
    'From the sample beacon on, silence is failure, whatever its reason: it is refused as late instead of as wrong, and just as often.',
  begin: (stage) => {
    let engine: KeepingEngine | undefined;
    return rehearse(stage, {
      prover: (clock) => {
        const made = proverWith(stage, clock, { make: { compute: collapse } }, modelOf(stage));
        engine = made.engine;
        return made.prover;
      },
      open: async ({ sampleBeacon, openBy }) => {
        const proof = await openBy(sampleBeacon);
        if (engine === undefined || hitsForged(stage.kernel.hash, decodeHeader(proof), engine)) {
          throw new Error('the prover did not like its samples');
        }
        return proof;
      },
    });
  },
};

/** Openings that take longer than anybody waits. */
const TOO_LATE_MS = 130_000;

/** Forges nothing in advance, and makes what was sampled after it knows what was: that takes its time. */
export const lateOpenings: Cheat = {
  name: 'late-openings',
  summary: 'answers rightly, ten seconds after the deadline',
  claims: collapsedRows.claims,
  predicted: 0,
  stoppedBy: 'time',
  explanation: 'The openings have a deadline of 120 s, by the observer’s clock.',
  begin: (stage) =>
    rehearse(stage, {
      prover: (clock) => proverWith(stage, clock, {}, modelOf(stage)).prover,
      open: async ({ sampleBeacon, openBy, clock }) => {
        clock.advance(TOO_LATE_MS);
        return openBy(sampleBeacon);
      },
    }),
};
