import type { Kernel } from '../../kernel.ts';
import { setStage } from '../stage/stage.ts';
import { structuredWeights } from './structured-weights.ts';
import {
  failuresLogged,
  noDeadline,
  oneSampledEntry,
  otherRowsOpened,
  predictableSeed,
  reportedTimes,
  tolerance,
} from './through-cheats.ts';
import { emptyOpenings, unboundAnswers } from './unbound-answers.ts';
import { TAKEN, type Weakness, type WeaknessRow } from './weakness.ts';

/** Every published weakness that has a like here. */
export const weaknesses: readonly Weakness[] = [
  unboundAnswers,
  emptyOpenings,
  otherRowsOpened,
  structuredWeights,
  oneSampledEntry,
  predictableSeed,
  reportedTimes,
  noDeadline,
  tolerance,
  failuresLogged,
];

/**
 * Tries the published weaknesses of other challenges on this one.
 * @throws LatentError CANCELLED
 */
export async function runWeaknesses(options: {
  readonly kernel: Kernel;
  readonly trials: number;
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (name: string) => void;
}): Promise<readonly WeaknessRow[]> {
  const { kernel, trials, seed, signal, onProgress } = options;
  const rows: WeaknessRow[] = [];
  for (const { name, elsewhere, tried, run } of weaknesses) {
    onProgress?.(name);
    const found = await run(setStage({ kernel, readToMake: 1, seed: `${seed}/${name}`, signal }), trials);
    const refusals: Record<string, number> = {};
    for (const refusal of found) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
    const { [TAKEN]: taken = 0, ...others } = refusals;
    rows.push({ name, elsewhere, tried, trials: found.length, refused: found.length - taken, refusals: others });
  }
  return rows;
}
