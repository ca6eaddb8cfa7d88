/** One figure that was recomputed, or could not be. */
export interface Check {
  readonly outcome: 'right' | 'wrong' | 'unchecked';
  /** What was looked at, in words. */
  readonly what: string;
  /** What the chain states; of a wrong one beside {@link recomputed}. */
  readonly stated?: string;
  readonly recomputed?: string;
  /** Why it could not be checked, or what else there is to say. */
  readonly note?: string;
}

/** Collects checks. */
export interface CheckList {
  readonly checks: readonly Check[];
  /** Right if both read the same, whatever they are. */
  same(what: string, stated: Figure, recomputed: Figure): boolean;
  /** @param because what is wrong, if it is */
  holds(what: string, isRight: boolean, because: string): boolean;
  unchecked(what: string, note: string): void;
}

export type Figure = bigint | number | string | boolean | readonly (bigint | number)[];

export function createCheckList(): CheckList {
  const checks: Check[] = [];
  return {
    checks,
    same: (what, stated, recomputed) => {
      const [said, found] = [inWords(stated), inWords(recomputed)];
      checks.push(
        said === found
          ? { outcome: 'right', what, stated: said }
          : { outcome: 'wrong', what, stated: said, recomputed: found },
      );
      return said === found;
    },
    holds: (what, isRight, because) => {
      checks.push(isRight ? { outcome: 'right', what } : { outcome: 'wrong', what, note: because });
      return isRight;
    },
    unchecked: (what, note) => checks.push({ outcome: 'unchecked', what, note }),
  };
}

function inWords(figure: Figure): string {
  return Array.isArray(figure) ? `[${figure.join(', ')}]` : String(figure);
}
