import { Worker } from 'node:worker_threads';
import { LatentError, toLatentError } from '@latent/protocol';
import type { WorkerAnswer, WorkerPlace, WorkerRequest } from './worker-messages.ts';

/** The worker threads of one filling. They work together or not at all: if one fails, all are ended. */
export interface Crew {
  readonly workers: number;
  /**
   * Gives all workers the same request, one at a time, and resolves when all have answered.
   * @throws LatentError CANCELLED as soon as the signal says so, or the crew is ended; DEVICE_OUT_OF_MEMORY; DEVICE_LOST. The
   * crew has ended then, and its memory is given back.
   */
  readonly request: (request: WorkerRequest, signal: AbortSignal) => Promise<void>;
  /** Ends all threads, in the middle of whatever they do, and waits for them. May be called again. */
  readonly end: () => Promise<void>;
}

interface Pending {
  readonly waiting: Set<number>;
  readonly resolve: () => void;
  readonly reject: (error: LatentError) => void;
}

/** @param url of what the threads run; another one than the default only in tests */
export function startCrew(
  module: WebAssembly.Module,
  workers: number,
  url: URL = new URL('./worker.ts', import.meta.url),
): Crew {
  let pending: Pending | undefined;
  let failure: LatentError | undefined;
  let ending: Promise<void> | undefined;

  const threads = Array.from({ length: workers }, (_, worker) => {
    const place: WorkerPlace = { module, worker, workers };
    const thread = new Worker(url, { workerData: place, name: `latent-proof-${worker}` });
    thread.on('message', (answer: WorkerAnswer) => take(worker, answer));
    thread.on('error', (cause) => fail(lost(worker, cause)));
    thread.on('exit', (code) => fail(lost(worker, new Error(`exit code ${code}`))));
    return thread;
  });

  function take(worker: number, answer: WorkerAnswer): void {
    if (answer.kind === 'outOfMemory') {
      fail(outOfMemory(answer.reason));
      return;
    }
    pending?.waiting.delete(worker);
    if (pending?.waiting.size === 0) pending.resolve();
  }

  /** The first failure counts; those that follow from it, and the ends of threads that were ended, do not. */
  function fail(error: LatentError): void {
    if (failure !== undefined) return;
    failure = error;
    void end();
  }

  function end(): Promise<void> {
    failure ??= new LatentError('CANCELLED', 'The engine was closed.');
    const [reason, told] = [failure, pending];
    ending ??= Promise.all(threads.map((thread) => thread.terminate())).then(() => told?.reject(reason));
    return ending;
  }

  async function request(message: WorkerRequest, signal: AbortSignal): Promise<void> {
    if (failure !== undefined) throw failure;
    const onAbort = () => fail(toLatentError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        pending = { waiting: new Set(threads.keys()), resolve, reject };
        for (const thread of threads) thread.postMessage(message);
        if (signal.aborted) onAbort();
      });
    } finally {
      pending = undefined;
      signal.removeEventListener('abort', onAbort);
    }
  }

  return { workers, request, end };
}

function lost(worker: number, cause: Error): LatentError {
  if ('code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY') return outOfMemory(cause.message, cause);
  return new LatentError('DEVICE_LOST', `Worker thread ${worker} of the engine ended by itself.`, {
    hint: 'Start the engine anew. If it happens again, fill fewer layers: the system may end what takes too much memory.',
    cause,
  });
}

function outOfMemory(reason: string, cause?: Error): LatentError {
  return new LatentError('DEVICE_OUT_OF_MEMORY', `The memory for the weights could not be had: ${reason}.`, {
    hint: 'Fill fewer layers, or end what else takes memory on this machine.',
    cause,
  });
}
