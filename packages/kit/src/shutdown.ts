import { constants } from 'node:os';

export interface Cleanup {
  /** For the report. */
  readonly name: string;
  /** The cleanup is given up after so long, and the next one begins. */
  readonly limitMs: number;
  readonly run: () => void | Promise<void>;
}

export interface CleanupFailure {
  readonly name: string;
  readonly error: unknown;
}

/** The orderly end of a process. */
export interface Shutdown {
  /** Aborts when the end was asked for, by a signal of the system or by {@link stop}. */
  readonly signal: AbortSignal;
  /** The signal of the system that asked for the end; undefined if none did. */
  readonly receivedSignal: () => NodeJS.Signals | undefined;
  /** Cleanups run one by one, the last added first. One added after the end has begun runs before those that are left. */
  add(cleanup: Cleanup): void;
  /** Aborts the signal and runs the cleanups; called again, it returns the same promise. Never rejects. */
  stop(): Promise<readonly CleanupFailure[]>;
  /** Resolves when the cleanups have run, whoever asked for it. */
  readonly stopped: Promise<readonly CleanupFailure[]>;
  /** Stops listening for signals of the system. */
  dispose(): void;
}

export interface ShutdownOptions {
  /** Default SIGINT and SIGTERM. */
  readonly signals?: readonly NodeJS.Signals[];
}

/**
 * Listens for signals of the system: the first asks for the end, the second ends the process at once, with 128 + the number of
 * the signal. After the first, exiting is left to the program, once {@link Shutdown.stopped}.
 */
export function createShutdown({ signals = ['SIGINT', 'SIGTERM'] }: ShutdownOptions = {}): Shutdown {
  const controller = new AbortController();
  const cleanups: Cleanup[] = [];
  const finished = Promise.withResolvers<readonly CleanupFailure[]>();
  let received: NodeJS.Signals | undefined;

  async function cleanUp(): Promise<readonly CleanupFailure[]> {
    const failures: CleanupFailure[] = [];
    for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
      try {
        await runCleanup(cleanup);
      } catch (error) {
        failures.push({ name: cleanup.name, error });
      }
    }
    return failures;
  }

  function stop(): Promise<readonly CleanupFailure[]> {
    if (!controller.signal.aborted) {
      controller.abort();
      void cleanUp().then(finished.resolve);
    }
    return finished.promise;
  }

  function onSignal(name: NodeJS.Signals): void {
    if (received !== undefined) process.exit(128 + constants.signals[name]);
    received = name;
    void stop();
  }

  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    receivedSignal: () => received,
    add: (cleanup) => void cleanups.push(cleanup),
    stop,
    stopped: finished.promise,
    dispose: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}

async function runCleanup({ name, limitMs, run }: Cleanup): Promise<void> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(new Error(`${name} took longer than ${limitMs} ms`)), limitMs);
  try {
    await Promise.race([run(), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
