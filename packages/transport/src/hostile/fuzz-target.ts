import type { Dice } from './dice.ts';
import type { Samples } from './spoil-bytes.ts';

/** `over`: what was fed has ended by itself, and another one has to be opened. */
export type Fed = 'taken' | 'refused' | 'over';

/** Something that strangers can send bytes to. */
export interface FuzzTarget {
  readonly name: string;
  /** Well-formed inputs, which hostile ones are made of. */
  readonly samples: Samples;
  /** Of a million inputs, how many this one gets: those that are cheap get many. */
  readonly share: number;
  /** Something fresh to be fed. */
  open(dice: Dice): Fuzzed | Promise<Fuzzed>;
}

export interface Fuzzed {
  /**
   * Takes one hostile input.
   * @throws LatentError to refuse it and end; RangeError (out of bounds) and everything else are crashes
   */
  feed(input: Uint8Array): Fed | Promise<Fed>;
  /** Lets go of it. */
  close?(): void;
}

/** What an input must never bring about. */
export function expectBound(what: string, value: number, most: number): void {
  if (value > most) throw new RangeError(`${what}: ${value} where ${most} is the most`);
}
