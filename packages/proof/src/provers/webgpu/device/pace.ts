/** How long one submission should take: drivers with a watchdog reset a device after some two seconds. */
const BUDGET_MS = 100;

/** Workgroups of the first submission of a kind: even the slowest software adapter does these in time. */
const FIRST = 8;

/** By how much a submission may be longer than the one before. */
const GROWTH = 8;

/** How many workgroups of each kind of work may go into one submission, learned from how long earlier ones took. */
export interface Pace {
  /** At least 1. */
  readonly allowed: (kind: string) => number;
  /** What was learned: so many workgroups took so long. */
  readonly learn: (kind: string, groups: number, durationMs: number) => void;
}

export function createPace(): Pace {
  const allowances = new Map<string, number>();
  const allowed = (kind: string) => allowances.get(kind) ?? FIRST;
  return {
    allowed,
    learn: (kind, groups, durationMs) => {
      const now = allowed(kind);
      const fitting = Math.max(1, Math.floor((groups * BUDGET_MS) / Math.max(durationMs, 0.1)));
      if (durationMs > BUDGET_MS) allowances.set(kind, Math.min(now, fitting));
      else if (2 * groups >= now) allowances.set(kind, Math.min(fitting, now * GROWTH));
    },
  };
}
