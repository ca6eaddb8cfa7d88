/** Time as the drivers need it: passed in, so that a test can move it. */
export interface DriverClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}
