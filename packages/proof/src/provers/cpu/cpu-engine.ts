import { availableParallelism, cpus, totalmem } from 'node:os';
import { LatentError, toLatentError } from '@latent/protocol';
import { type Parameters, rowBytes } from '../../spec/parameters.ts';
import type { Phase } from '../../spec/phase.ts';
import { compileKernel } from '../../wasm/compile-kernel.ts';
import type { Engine, FillRequest, PassRequest, ReopenedRow, ReopenRow } from '../engine.ts';
import { type Board, COUNTER_STRIDE, passBoard } from './board.ts';
import { timesDone } from './counters.ts';
import { type Crew, startCrew } from './crew.ts';
import { bytesOfLayer, freeBytes, layersThatFit } from './free-memory.ts';
import { planReopening, readReopened } from './reopening.ts';
import type { WorkerRequest } from './worker-messages.ts';

const PROGRESS_EVERY_MS = 250;

export interface CpuEngineOptions {
  /** Worker threads, at least 1. Default: one for each core that this process may use. */
  readonly threads?: number;
  /** Memory that can be taken, in bytes. Default: what the system says. */
  readonly freeBytes?: () => number;
}

interface Filled {
  readonly crew: Crew;
  readonly parameters: Parameters;
  readonly layers: number;
  readonly bytes: number;
}

/**
 * An engine that runs on the processor's cores: the kernels in WASM (`kernels/wasm`), one worker thread for each core.
 *
 * **Columns are split, not rows.** Each worker holds, in memories of its own, its part of the outputs of *every* layer, and sends all
 * rows through it. So a pass reads every weight from memory once, whatever the number of cores: were rows split, each core would
 * read all the weights, and 128 cores with two rows each would want more than any memory gives. It also keeps weights
 * with the core that wrote them, on machines of several sockets, and needs no memory that is shared but a few rows; a wasm
 * memory's limit of 4 GiB is met by each worker having as many as it needs. The price is that after each step all workers
 * exchange what they made. Rows therefore go in strands (two halves of a compute pass, the lanes of a bandwidth
 * pass), and a worker waits for the others strand by strand: while the results of one are under way it works on the next.
 *
 * The calling thread only sends, receives and looks at counters; it never blocks. Stopping a call ends the threads in the
 * middle of their work, and gives back their memory. From `fill` to `close` the threads keep the process alive.
 * @throws LatentError CONFIG_INVALID for a number of threads that cannot be
 */
export async function openCpuEngine(options: CpuEngineOptions = {}): Promise<Engine> {
  const { threads = availableParallelism(), freeBytes: readFreeBytes = freeBytes } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new LatentError('CONFIG_INVALID', `An engine cannot have ${threads} threads.`, { hint: 'Say 1 or more.' });
  }
  const module = await compileKernel();
  let closed = false;
  let filled: Filled | undefined;
  let board: { readonly name: string; readonly board: Board } | undefined;

  const workersFor = (parameters: Parameters) => Math.min(threads, rowBytes(parameters));

  /** What can be had once the present weights are given back. */
  const withinReach = () => readFreeBytes() + (filled?.bytes ?? 0);

  async function fill({ parameters, sessionId, layers, signal, onProgress }: FillRequest): Promise<void> {
    if (signal.aborted) throw toLatentError(signal.reason);
    const bytes = layers * bytesOfLayer(parameters);
    const reach = withinReach();
    await release();
    if (closed) throw new LatentError('CANCELLED', 'The engine was closed.');
    if (bytes > reach) {
      throw new LatentError('DEVICE_OUT_OF_MEMORY', `${layers} layers take ${bytes} bytes, and ${reach} are free.`, {
        hint: 'Fill fewer layers, or end what else takes memory on this machine.',
        details: { layers, bytes, freeBytes: reach },
      });
    }
    const crew = startCrew(module, workersFor(parameters));
    filled = { crew, parameters, layers, bytes };
    const progress = new SharedArrayBuffer(COUNTER_STRIDE * 4);
    const layersDone = () => timesDone(progress, 0, crew.workers);
    const request = { kind: 'fill', parameters, sessionId, layers, progress } as const;
    await watch(ask(crew, request, signal), layersDone, onProgress);
  }

  function needFilled(): Filled {
    if (filled === undefined) throw new LatentError('INTERNAL', 'A pass was asked for before the memory was filled.');
    return filled;
  }

  async function runPass({ phase, seed, signal, onProgress }: PassRequest): Promise<Uint8Array> {
    const { crew, parameters, layers } = needFilled();
    if (board?.name !== phase.name)
      board = { name: phase.name, board: take(() => passBoard(parameters, phase, layers)) };
    const { board: used } = board;
    new Int32Array(used.progress).fill(0);
    const rows = Array.from({ length: phase.rows }, (_, row) => ({ seed: 0, row }));
    const running = ask(crew, { kind: 'run', board: used, seeds: [seed], rows }, signal);
    await watch(running, () => stepsDone(used, phase, crew.workers), onProgress);
    return new Uint8Array(used.rowRoots).slice();
  }

  async function reopenRows(rows: readonly ReopenRow[], signal: AbortSignal): Promise<readonly ReopenedRow[]> {
    const { crew, parameters, layers } = needFilled();
    board = undefined;
    const plan = take(() => planReopening(parameters, layers, rows));
    await ask(crew, { kind: 'run', board: plan.board, seeds: plan.seeds, rows: plan.rows }, signal);
    return readReopened(parameters, plan, rows);
  }

  /** A crew that failed has ended, and holds nothing any more. */
  async function ask(crew: Crew, request: WorkerRequest, signal: AbortSignal): Promise<void> {
    // A short pass could be done before the crew hears of a stop.
    if (signal.aborted) throw toLatentError(signal.reason);
    try {
      await crew.request(request, signal);
    } catch (error) {
      await release();
      throw error;
    }
  }

  async function release(): Promise<void> {
    const { crew } = filled ?? {};
    filled = undefined;
    board = undefined;
    await crew?.end();
  }

  return {
    kind: 'cpu',
    device: { name: cpus()[0]?.model.trim() ?? 'unknown processor', class: 'cpu', memoryBytes: totalmem() },
    fittingLayers: async (parameters) => layersThatFit(parameters, withinReach(), workersFor(parameters)),
    fill,
    runPass,
    reopenRows,
    close: () => {
      closed = true;
      return release();
    },
  };
}

/** Steps that every row of a pass has gone. */
function stepsDone({ strands, progress }: Board, { steps }: Phase, workers: number): number {
  const states = strands.map((_, strand) => timesDone(progress, strand, workers));
  return Math.max(0, Math.min(steps, Math.min(...states) - 1));
}

/** Tells how far `work` is until it ends; its end as well, if that is a good one. */
async function watch(
  work: Promise<void>,
  done: () => number,
  onProgress: ((done: number) => void) | undefined,
): Promise<void> {
  if (onProgress === undefined) return work;
  const timer = setInterval(() => onProgress(done()), PROGRESS_EVERY_MS);
  try {
    await work;
    onProgress(done());
  } finally {
    clearInterval(timer);
  }
}

/** @throws LatentError DEVICE_OUT_OF_MEMORY if `make` cannot have its buffers */
function take<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new LatentError('DEVICE_OUT_OF_MEMORY', `There is no memory to run rows in: ${cause.message}.`, {
      hint: 'Fill fewer layers, or end what else takes memory on this machine.',
      cause,
    });
  }
}
