import type { DeviceModel, Factors } from './stage/device-model.ts';
import type { Attempt, Stage } from './stage/stage.ts';

/**
 * What keeps a cheat from paying. `samples`: an opened entry is wrong; `time`: it is slower, by the observer's clock, in one
 * of the three numbers; `shape`: its bytes are no proof; `order`: it says something before it can, or after it may;
 * `economics`: nothing in the proof does, but a sum shows that it does not pay.
 */
export type StoppedBy = 'samples' | 'time' | 'shape' | 'order' | 'economics';

/** A dishonest prover, and what is expected of it. */
export interface Cheat {
  /** In kebab-case: its file, or its file and a variant. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** What its proof is to be scored, as multiples of what the device has. */
  readonly claims: Factors;
  /** Fraction of one phase's states, or of their entries, that is made up; undefined where nothing is. */
  readonly forged?: number;
  /** Chance that a trial is accepted, or that there is nothing in the proof to stop it. */
  readonly predicted: number | 'n/a: economics';
  readonly stoppedBy: StoppedBy;
  /** Why it is caught, or what is not. */
  readonly explanation: string;
  /** Where economics alone stops it: the sum, with its assumptions and where they come from. */
  readonly sum?: string;
  /** What the device really has; left out: all that it declares. */
  readonly device?: (stage: Stage) => DeviceModel;
  /** Makes one dishonest commitment. */
  readonly begin: (stage: Stage) => Promise<Attempt>;
}

/** Claims nothing but what the device has. */
export const honestClaims: Factors = { operations: 1, memory: 1, bandwidth: 1 };

/** The largest of a cheat's claims: what it gains over honest work. */
export function gainOf({ operations, memory, bandwidth }: Factors): number {
  return Math.max(operations, memory, bandwidth);
}
