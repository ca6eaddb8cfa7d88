import type { Parameters } from '../../spec/parameters.ts';
import type { Board, BoardRow } from './board.ts';

/** What a worker is started with. */
export interface WorkerPlace {
  readonly module: WebAssembly.Module;
  /** 0 … workers − 1. */
  readonly worker: number;
  readonly workers: number;
}

export interface FillWork {
  readonly kind: 'fill';
  readonly parameters: Parameters;
  readonly sessionId: Uint8Array;
  readonly layers: number;
  /** A counter (`counters.ts`) of the layers done. */
  readonly progress: SharedArrayBuffer;
}

export interface RunWork {
  readonly kind: 'run';
  readonly board: Board;
  readonly seeds: readonly Uint8Array[];
  readonly rows: readonly BoardRow[];
}

/** Sent to all workers alike, one at a time. */
export type WorkerRequest = FillWork | RunWork;

/** What a worker answers each request with. */
export type WorkerAnswer =
  | { readonly kind: 'done' }
  /** Memory could not be had. */
  | { readonly kind: 'outOfMemory'; readonly reason: string };
