import { randomBytes } from 'node:crypto';
import { layerBytes, type Rates, runChallenge } from '@latent/proof';
import { createProver, openCudaEngine } from '@latent/proof/provers';
import type { MeasureOptions } from './measure-kernels.ts';

export interface ChallengeOptions extends MeasureOptions {
  /** Phases as long as a score asks; else one pass each. */
  readonly scored: boolean;
}

export interface ChallengeFigures {
  readonly outcome: string;
  readonly reason: string | null;
  readonly layers: number;
  /** Part of the device's memory that is weights. */
  readonly memoryShare: number;
  readonly passes: { readonly compute: number; readonly bandwidth: number } | null;
  /** From the beacon to what it is answered with. */
  readonly partsMs: Readonly<Record<string, number>>;
  readonly proofBytes: number;
  readonly measured: Rates | null;
  readonly proven: Rates | null;
}

/** A whole challenge, with as many layers as fit, verified by this machine's processor. */
export async function measureChallenge(options: ChallengeOptions): Promise<ChallengeFigures> {
  const { kernel, signal, say, scored } = options;
  const parameters = scored ? options.parameters : { ...options.parameters, leastComputeMs: 0, leastBandwidthMs: 0 };
  say(scored ? 'a challenge of full length' : 'a challenge of one pass each');
  const engine = await openCudaEngine(options.options);
  const partsMs: Record<string, number> = {};
  let part = '';
  let sinceMs = performance.now();
  const enter = (next: string) => {
    if (next === part) return;
    const nowMs = performance.now();
    if (part !== '') {
      partsMs[part] = nowMs - sinceMs;
      say(`${part}: ${Math.round(nowMs - sinceMs)} ms`);
    }
    [part, sinceMs] = [next, nowMs];
  };
  try {
    const result = await runChallenge({
      prover: createProver(engine, kernel.hash),
      kernel,
      parameters,
      context: randomBytes(32),
      drawBeacon: async (which) => {
        enter(which === 'sample' ? 'open' : which);
        return randomBytes(32);
      },
      nowMs: () => performance.now(),
      ...(options.layers === undefined ? {} : { layers: options.layers }),
      signal,
      onProgress: ({ part: running }) => {
        if (running === 'verify') enter('verify');
      },
    });
    enter('end');
    const { verdict, proof, header } = result;
    say(`${verdict.outcome}${verdict.outcome === 'proven' ? '' : `: ${verdict.reason}`}`);
    return {
      outcome: verdict.outcome,
      reason: verdict.outcome === 'proven' ? null : verdict.reason,
      layers: header?.layers ?? 0,
      memoryShare: ((header?.layers ?? 0) * layerBytes(parameters)) / (engine.device.memoryBytes ?? Number.NaN),
      passes: header?.passes ?? null,
      partsMs,
      proofBytes: proof?.length ?? 0,
      measured: verdict.outcome === 'proven' ? verdict.measured : null,
      proven: verdict.outcome === 'proven' ? verdict.proven : null,
    };
  } finally {
    await engine.close();
  }
}
