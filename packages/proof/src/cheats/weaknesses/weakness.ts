import type { Stage } from '../stage/stage.ts';

/** A weakness that a challenge of the field was published to have, tried here. */
export interface Weakness {
  /** In kebab-case. */
  readonly name: string;
  /** Whose it was, and what it consisted in; with the source. */
  readonly elsewhere: string;
  /** What is tried here. */
  readonly tried: string;
  /** @returns what each attempt was refused with; `taken` if it was not */
  readonly run: (stage: Stage, trials: number) => Promise<readonly string[]>;
}

/** Plain JSON. */
export interface WeaknessRow {
  readonly name: string;
  readonly elsewhere: string;
  readonly tried: string;
  readonly trials: number;
  readonly refused: number;
  /** How often each reason was given. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** What a trial that was not refused is counted as. */
export const TAKEN = 'taken';
