/** Calls `work` every `periodMs` until it is stopped. Does not keep the process alive. @returns stops it */
export function every(periodMs: number, work: () => void): () => void {
  const timer: unknown = setInterval(work, periodMs);
  release(timer);
  return () => clearInterval(timer as number);
}

/** Calls `work` after `delayMs` unless it is stopped before. Does not keep the process alive. @returns stops it */
export function after(delayMs: number, work: () => void): () => void {
  const timer: unknown = setTimeout(work, delayMs);
  release(timer);
  return () => clearTimeout(timer as number);
}

/** Node's timers are objects that can be let go; a browser's are numbers. */
function release(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref();
}
