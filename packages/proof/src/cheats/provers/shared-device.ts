import { parameterSets } from '../../spec/parameters.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { HONEST_PASS_MS } from '../stage/device-model.ts';
import { createManualClock } from '../stage/manual-clock.ts';
import {
  type Attempt,
  type BeaconName,
  modelOf,
  proverWith,
  rehearse,
  STAGE_LAYERS,
  type Stage,
} from '../stage/stage.ts';

/** So long that taking turns comes out even. */
const PHASE_MS = { compute: 6 * HONEST_PASS_MS.compute, bandwidth: 6 * HONEST_PASS_MS.bandwidth };

/**
 * Answers for several identities with one device: each has weights of its own in a part of the memory, and their passes take
 * turns. All are challenged in common rounds: each beacon is published to all at once.
 *
 * Gains: nothing. Each is scored its part of all three numbers.
 */
export function sharedDevice(identities: number, word: string): Cheat {
  const { lanes } = parameterSets.development;
  const layers = Math.floor(STAGE_LAYERS / identities / lanes) * lanes;
  return {
    name: `one-device-for-${word}`,
    summary: `answers for ${word} identities with one device, challenged in common rounds`,
    claims: honestClaims,
    predicted: 0,
    stoppedBy: 'time',
    explanation: `Each identity has weights and inputs of its own, in memory of its own, and their passes share one device’s time: each is scored about 1/${identities}.`,
    begin: async (stage) => {
      const clock = createManualClock();
      const meet = meetingOf(identities);
      const attempts = await Promise.all(
        Array.from({ length: identities }, (_, identity) => {
          const own = identityStage(stage, identity);
          const prover = () => proverWith(own, clock, {}, modelOf(stage)).prover;
          return rehearse(own, { prover, beforeBeacon: meet, asked: { layers, phaseMs: PHASE_MS } }, clock);
        }),
      );
      return { trial: (index) => worstOf(attempts, index) };
    },
  };
}

/**
 * Answers for two identities that are challenged one after the other.
 *
 * Gains: a whole listing. Nothing in a proof stops it, as each shows what the device did while it was asked.
 */
export const deviceInTurns: Cheat = {
  name: 'one-device-in-turns',
  summary: 'answers for two identities with one device, challenged one after the other',
  claims: honestClaims,
  predicted: 'n/a: economics',
  stoppedBy: 'economics',
  explanation:
    'A proof shows what a device does while it is asked, and not what it does next. Whoever lists devices has to publish each beacon to all of them at the same time, and to wait for none: filling has no time of its own here, so that a device could be emptied and filled again for the next identity.',
  sum: 'Without common rounds the second listing costs nothing and this pays: 2 listings for 1 device. With them each of two is scored 1/2 of everything (one-device-for-two), and 2 × 1/2 = 1: the gain is 0.',
  begin: async (stage) => {
    const attempts: Attempt[] = [];
    for (const identity of [0, 1]) {
      const own = identityStage(stage, identity);
      attempts.push(await rehearse(own, { prover: (clock) => proverWith(own, clock, {}, modelOf(stage)).prover }));
    }
    return { trial: (index) => worstOf(attempts, index) };
  },
};

/** The cheat has to succeed for all of its identities: the result of the one that took longest, or failed. */
async function worstOf(attempts: readonly Attempt[], index: number) {
  const results = await Promise.all(attempts.map((attempt) => attempt.trial(index)));
  const tookMs = ({ times }: (typeof results)[number]) => (times === undefined ? 0 : times.compute + times.bandwidth);
  const [worst] = results.toSorted((a, b) => {
    const failed = Number(b.verdict.outcome !== 'proven') - Number(a.verdict.outcome !== 'proven');
    return failed === 0 ? tookMs(b) - tookMs(a) : failed;
  });
  if (worst === undefined) throw new RangeError('no identities');
  return worst;
}

/** Lets nobody go on before all have come, once for each beacon. */
function meetingOf(identities: number): (which: BeaconName) => Promise<void> {
  const waiting = new Map<BeaconName, (() => void)[]>();
  return (which) =>
    new Promise((resolve) => {
      const all = [...(waiting.get(which) ?? []), resolve];
      waiting.set(which, all);
      if (all.length === identities) for (const goOn of all) goOn();
    });
}

/** The same rounds for all, and a context for each. */
function identityStage(stage: Stage, identity: number): Stage {
  return {
    ...stage,
    draw: (...words) => (words[0] === 'context' ? stage.draw('context', identity) : stage.draw(...words)),
  };
}
