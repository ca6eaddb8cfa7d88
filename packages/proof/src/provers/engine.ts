import type { Parameters } from '../spec/parameters.ts';
import type { Phase } from '../spec/phase.ts';

/** What makes an engine's kernels run: which library, not which device. */
export type EngineKind = 'reference' | 'cpu' | 'webgpu' | 'cuda';

/** What a device calls itself. Nothing here is proven. */
export interface EngineDevice {
  readonly name: string;
  /** `software`: a GPU interface that a CPU pretends to have. It is never scored as a GPU. */
  readonly class: 'gpu' | 'cpu' | 'software';
  /** Memory that the device says it has; undefined where the interface does not tell. */
  readonly memoryBytes?: number;
}

/** Weights that are to be written to the device's memory. */
export interface FillRequest {
  readonly parameters: Parameters;
  /** 32 bytes. */
  readonly sessionId: Uint8Array;
  /** A multiple of the set's lanes. */
  readonly layers: number;
  readonly signal: AbortSignal;
  /** Called now and then with the layers done so far. */
  readonly onProgress?: (layersDone: number) => void;
}

export interface PassRequest {
  readonly phase: Phase;
  /** The pass's seed, 32 bytes. */
  readonly seed: Uint8Array;
  readonly signal: AbortSignal;
  readonly onProgress?: (stepsDone: number) => void;
}

/** A row of a pass that is run again, to be opened. */
export interface ReopenRow {
  readonly phase: Phase;
  readonly seed: Uint8Array;
  readonly row: number;
  /** States that are wanted whole, ascending, 0 … phase.steps. */
  readonly states: readonly number[];
}

export interface ReopenedRow {
  /** Digests of all states, (steps + 1) × 32 bytes. */
  readonly digests: Uint8Array;
  /** The states asked for, packed, in the order asked. */
  readonly states: readonly Uint8Array[];
}

/**
 * A device that answers challenges. Every engine gives the same bytes (`provers/conformance.ts`); they differ in speed.
 * Calls do not overlap. Every call rejects with `CANCELLED` soon after its signal (within one step's work), with
 * `DEVICE_OUT_OF_MEMORY` or `DEVICE_LOST`, cause kept, if that is what happened; after that only `close` may be called.
 */
export interface Engine {
  readonly kind: EngineKind;
  readonly device: EngineDevice;
  /** Layers that fit into what memory is free now, working memory left out, rounded down to a multiple of the lanes. */
  readonly fittingLayers: (parameters: Parameters) => Promise<number>;
  /** Takes memory for the layers and derives their weights into it. A second call replaces what the first one wrote. */
  readonly fill: (request: FillRequest) => Promise<void>;
  /** Runs one pass. @returns its row roots, phase.rows × 32 bytes */
  readonly runPass: (request: PassRequest) => Promise<Uint8Array>;
  /** Runs rows again, all in one go through the weights. Phases and passes may be mixed. */
  readonly reopenRows: (rows: readonly ReopenRow[], signal: AbortSignal) => Promise<readonly ReopenedRow[]>;
  /** Gives everything back. May be called at any time, and again. */
  readonly close: () => Promise<void>;
}
