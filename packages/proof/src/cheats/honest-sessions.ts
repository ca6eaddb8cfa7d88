import { runChallenge } from '../challenge/run-challenge.ts';
import type { Verdict } from '../challenge/verdict.ts';
import type { Kernel } from '../kernel.ts';
import { createProver } from '../provers/prover.ts';
import { HONEST_PASS_MS, modelDevice } from './stage/device-model.ts';
import { openKeepingEngine } from './stage/keeping-engine.ts';
import { createManualClock } from './stage/manual-clock.ts';
import { setStage } from './stage/stage.ts';

/** Verifying pauses now and then; that many sessions use each other's pauses. */
const AT_ONCE = 4;

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
  for (let first = 0; first < sessions; first += AT_ONCE) {
    const indices = Array.from({ length: Math.min(AT_ONCE, sessions - first) }, (_, i) => first + i);
    const verdicts = await Promise.all(
      indices.map((index) => honestVerdict(kernel, `${seed}/${index}`, index, signal)),
    );
    for (const verdict of verdicts) {
      if (verdict.outcome === 'proven') continue;
      rejected++;
      codes[verdict.code] = (codes[verdict.code] ?? 0) + 1;
    }
    onProgress?.(first + indices.length, sessions);
  }
  return { sessions, rejected, codes };
}

async function honestVerdict(kernel: Kernel, seed: string, index: number, signal: AbortSignal): Promise<Verdict> {
  const { parameters, draw } = setStage({ kernel, readToMake: 1, seed, signal });
  const clock = createManualClock();
  const layers = parameters.lanes * (1 + (index % 2));
  const model = modelDevice(parameters, layers, 1);
  const { verdict } = await runChallenge({
    prover: createProver(openKeepingEngine({ hash: kernel.hash, clock, model }), kernel.hash),
    kernel,
    parameters,
    context: draw('context'),
    drawBeacon: async (which) => draw(which),
    nowMs: clock.nowMs,
    layers,
    // Trees of several depths: up to two passes of one phase and three of the other.
    phaseMs: { compute: HONEST_PASS_MS.compute * (index % 3), bandwidth: HONEST_PASS_MS.bandwidth * (index % 4) },
    signal,
  });
  return verdict;
}
