/** The observer's clock of a cheat's trial: it stands still until a device model says how long something took. */
export interface ManualClock {
  readonly nowMs: () => number;
  readonly advance: (ms: number) => void;
}

export function createManualClock(): ManualClock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}
