import { runChallenge } from '../challenge/run-challenge.ts';
import type { Kernel } from '../kernel.ts';
import { createProver } from '../provers/prover.ts';
import { HONEST_PASS_MS, modelDevice } from './stage/device-model.ts';
import { openKeepingEngine } from './stage/keeping-engine.ts';
import { createManualClock } from './stage/manual-clock.ts';
import { setStage } from './stage/stage.ts';

/** As few as leave lanes, steps and passes in the plural. */
const LAYERS = 4;

export interface HonestSessions {
  readonly sessions: number;
  /** Sessions whose verdict was not `proven`: there should be none. */
  readonly rejected: number;
  readonly codes: Readonly<Record<string, number>>;
}

/**
 * Whole challenges of an honest prover, each with beacons and context of its own.
 * @throws LatentError CANCELLED
 */
export async function runHonestSessions(options: {
  readonly kernel: Kernel;
  readonly sessions: number;
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, sessions: number) => void;
}): Promise<HonestSessions> {
  const { kernel, sessions, seed, signal, onProgress } = options;
  const codes: Record<string, number> = {};
  let rejected = 0;
  for (let done = 0; done < sessions; done++) {
    const { parameters, draw } = setStage({ kernel, readToMake: 1, seed: `${seed}/honest/${done}`, signal });
    const clock = createManualClock();
    const model = modelDevice(parameters, LAYERS, 1);
    const { verdict } = await runChallenge({
      prover: createProver(openKeepingEngine({ hash: kernel.hash, clock, model }), kernel.hash),
      kernel,
      parameters,
      context: draw('context'),
      drawBeacon: async (which) => draw(which),
      nowMs: clock.nowMs,
      layers: LAYERS,
      // One to three passes of a phase, so that trees of several depths are met.
      phaseMs: { compute: HONEST_PASS_MS.compute * (done % 3), bandwidth: HONEST_PASS_MS.bandwidth * (done % 4) },
      signal,
    });
    if (verdict.outcome !== 'proven') {
      rejected++;
      codes[verdict.code] = (codes[verdict.code] ?? 0) + 1;
    }
    onProgress?.(done + 1, sessions);
  }
  return { sessions, rejected, codes };
}
