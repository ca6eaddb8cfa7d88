import { LatentError } from '@latent/protocol';
import type { Kernel } from '../kernel.ts';
import { decodeHeader } from '../wire/proof-header.ts';
import { collapse } from './provers/collapsed-rows.ts';
import { hitsForged } from './stage/draw-hits.ts';
import type { KeepingEngine } from './stage/keeping-engine.ts';
import { modelOf, proverWith, rehearse, setStage } from './stage/stage.ts';

export interface KindDraws {
  readonly draws: number;
  /** Draws of which no sample hit anything that a verifier would refuse. */
  readonly kind: number;
  readonly commitments: number;
}

/** Draws between two pauses. */
const AT_ONCE = 200;

/**
 * Counts how often the samples of a sample beacon miss all that `collapsed-rows` forged. Nothing is opened or verified: only
 * the samples are drawn, and looked up in what the prover knows of itself. That they agree is shown by `runCheats`.
 * @throws LatentError CANCELLED
 */
export async function countKindDraws(options: {
  readonly kernel: Kernel;
  readonly draws: number;
  readonly drawsPerCommitment: number;
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, draws: number) => void;
}): Promise<KindDraws> {
  const { kernel, draws, drawsPerCommitment, seed, signal, onProgress } = options;
  let [done, kind, commitments] = [0, 0, 0];
  while (done < draws) {
    const stage = setStage({ kernel, readToMake: 1, seed: `${seed}/kind/${commitments}`, signal });
    const engines: KeepingEngine[] = [];
    const attempt = await rehearse(stage, {
      prover: (clock) => {
        const { prover, engine } = proverWith(stage, clock, { make: { compute: collapse } }, modelOf(stage));
        engines.push(engine);
        return prover;
      },
    });
    const { proof } = await attempt.trial(0);
    const [engine] = engines;
    if (proof === undefined || engine === undefined) throw new LatentError('INTERNAL', 'Nothing was committed to.');
    const header = decodeHeader(proof);
    commitments++;
    for (let here = 0; here < drawsPerCommitment && done < draws; here++, done++) {
      if (done % AT_ONCE === 0) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        onProgress?.(done, draws);
      }
      const beacons = { ...header.beacons, sample: stage.draw('draw', here) };
      if (!hitsForged(kernel.hash, { ...header, beacons }, engine)) kind++;
    }
  }
  return { draws, kind, commitments };
}
