import type { Kernel } from '../../kernel.ts';
import { confidenceOf } from '../confidence.ts';
import { setStage } from '../stage/stage.ts';
import { collapseWithoutKey } from './collapse-without-key.ts';
import { grindFiatShamir } from './grind-fiat-shamir.ts';
import { scoredBySlope } from './scored-by-slope.ts';
import type { Variant, VariantRow } from './variant.ts';

/** Each defence that was found by an attack, with the copy that lacks it. */
export const variants: readonly Variant[] = [collapseWithoutKey, grindFiatShamir, scoredBySlope];

/**
 * Shows that the attacks are real where the defence is missing.
 * @param options trials by name: one of some costs much more than one of others
 * @throws LatentError CANCELLED
 */
export async function runVariants(options: {
  readonly kernel: Kernel;
  readonly trialsOf: (name: string) => number;
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (name: string) => void;
}): Promise<readonly VariantRow[]> {
  const { kernel, trialsOf, seed, signal, onProgress } = options;
  const rows: VariantRow[] = [];
  for (const { name, without, run } of variants) {
    onProgress?.(name);
    const stage = setStage({ kernel, readToMake: 1, seed: `${seed}/${name}`, signal });
    const outcome = await run(stage, trialsOf(name));
    rows.push({ name, without, ...outcome, acceptance: confidenceOf(outcome.accepted, outcome.trials, 0.95) });
  }
  return rows;
}
