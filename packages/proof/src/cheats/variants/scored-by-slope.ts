import { holdBack } from '../provers/held-back-first-pass.ts';
import { HONEST_PASS_MS } from '../stage/device-model.ts';
import { createManualClock } from '../stage/manual-clock.ts';
import { modelOf, proverWith, STAGE_LAYERS } from '../stage/stage.ts';
import type { Variant } from './variant.ts';

const PASSES = 3;
/** What a message takes from one to the next. */
const MESSAGE_MS = 1;

/** Takes the rate from the time between the first pass's message and the last one's, which is to cancel what travels. */
export const scoredBySlope: Variant = {
  name: 'scored-by-slope',
  without: 'time from the beacon on: the rate is the slope between the first message of a pass and the last',
  run: async (stage, trials) => {
    let [accepted, gain] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      stage.signal.throwIfAborted();
      const clock = createManualClock();
      const prover = holdBack(proverWith(stage, clock, {}, modelOf(stage)).prover);
      const toldMs: number[] = [];
      const { parameters, signal, draw } = stage;
      const call = { parameters, signal, layers: STAGE_LAYERS };
      await prover.fill({ ...call, context: draw('context'), beacon: draw('fill', trial) });
      await prover.runPhase({
        name: 'bandwidth',
        beacon: draw('bandwidth', trial),
        signal,
        enough: (passes) => passes >= PASSES,
        onProgress: () => {
          clock.advance(MESSAGE_MS);
          toldMs.push(clock.nowMs());
        },
      });
      const spanMs = (toldMs.at(-1) ?? 0) - (toldMs[0] ?? 0);
      gain = (HONEST_PASS_MS.bandwidth * (PASSES - 1)) / spanMs;
      if (gain >= 2) accepted++;
    }
    return {
      trials,
      accepted,
      predicted: 1,
      gain,
      finding: `${PASSES} passes told of ${MESSAGE_MS} ms apart; the cheat held-back-first-pass does the same against the true scheme, and is scored what it has`,
    };
  },
};
