import type { Confidence } from '../confidence.ts';
import type { Stage } from '../stage/stage.ts';

/** A copy of the scheme with one of its defences taken out, to show that the attack which it is against is real. */
export interface Variant {
  /** In kebab-case: its file. */
  readonly name: string;
  /** What the copy lacks. */
  readonly without: string;
  readonly run: (stage: Stage, trials: number) => Promise<VariantOutcome>;
}

export interface VariantOutcome {
  readonly trials: number;
  readonly accepted: number;
  /** Chance of acceptance that the formula gives. */
  readonly predicted: number;
  /** What an accepted cheat gains over honest work. */
  readonly gain: number;
  /** What was seen, with its figures, and what the same does against the true scheme. */
  readonly finding: string;
}

/** Plain JSON. */
export interface VariantRow extends VariantOutcome {
  readonly name: string;
  readonly without: string;
  readonly acceptance: Confidence;
}
