import { LatentError, toLatentError } from '@latent/protocol';
import type { Engine, FillRequest, PassRequest, ReopenedRow, ReopenRow } from '../../provers/engine.ts';
import { type Hash, join, sameBytes } from '../../spec/bytes.ts';
import { stateDigest } from '../../spec/digests.ts';
import type { Parameters } from '../../spec/parameters.ts';
import type { Phase, PhaseName } from '../../spec/phase.ts';
import type { Sample } from '../../spec/session.ts';
import { treeRoot } from '../../spec/tree.ts';
import { inputRow, packRow, rowKey, unpackRow } from '../../spec/values.ts';
import { createAudit } from './audit.ts';
import { type DeviceModel, durationMs, noWork, type Work } from './device-model.ts';
import type { ManualClock } from './manual-clock.ts';
import { deriveLayer, type LayerWeights, stateOf, sumsOf } from './network.ts';

/** What a way of making states works with: one step of one pass, all rows at once. */
export interface StepCall {
  readonly parameters: Parameters;
  readonly hash: Hash;
  readonly phase: Phase;
  /** The pass's seed, as the prover was given it. */
  readonly seed: Uint8Array;
  readonly step: number;
  /** Of each row. */
  readonly keys: readonly number[];
  /** The state of each row before the step, values −8 … 7. */
  readonly before: readonly Int8Array[];
  /** A layer's weights, wherever they are kept. */
  readonly layer: (index: number) => LayerWeights;
  /** To be added to. */
  readonly work: Work;
}

/** Makes the states after a step, one for each row: honestly, or not. */
export type MakeStates = (call: StepCall) => readonly Int8Array[];

/** How an engine comes by a layer's weights. */
export interface LayerCall {
  readonly index: number;
  readonly kept: readonly LayerWeights[];
  /** Derives a layer's weights once more. */
  readonly derive: (index: number) => LayerWeights;
  /** To be added to. */
  readonly work: Work;
}

/** A pass, all of its rows at once. */
export interface KeptPass {
  readonly seed: Uint8Array;
  /** By row, then state: packed. */
  readonly states: readonly (readonly Uint8Array[])[];
  /** By row: digests of its states. */
  readonly digests: readonly (readonly Uint8Array[])[];
}

/** Everything that a cheat may do otherwise than an honest engine; what is left out is done honestly. */
export interface Manners {
  readonly make?: Partial<Readonly<Record<PhaseName, MakeStates>>>;
  /** State 0 of a row, packed. */
  readonly input?: (hash: Hash, parameters: Parameters, seed: Uint8Array, row: number) => Uint8Array;
  /** The seed that is worked with, in place of the one that was given. */
  readonly seed?: (phase: PhaseName, given: Uint8Array, pass: number) => Uint8Array;
  /** Where a layer's weights come from; it adds what that costs to the work. */
  readonly layer?: (call: LayerCall) => LayerWeights;
  /** How many layers are really derived, of those that are declared. */
  readonly keptLayers?: (declared: number) => number;
  /** How long a pass took, in place of what its work takes. */
  readonly passMs?: (phase: PhaseName, pass: number, workMs: number) => number;
}

export interface KeepingEngineOptions {
  readonly hash: Hash;
  readonly clock: ManualClock;
  readonly model: DeviceModel;
  readonly manners?: Manners;
}

/** An engine for trials: it keeps every state, so that many sample beacons can be drawn over one commitment. */
export interface KeepingEngine extends Engine {
  /** Passes so far, in order. */
  readonly passes: (phase: PhaseName) => readonly KeptPass[];
  /** Puts another state in the place of one that was made. */
  readonly replaceState: (phase: Phase, pass: number, row: number, state: number, packed: Uint8Array) => void;
  /** Whether a verifier that draws this sample finds something wrong. */
  readonly isWrong: (phase: PhaseName, sample: Sample) => boolean;
}

/** Each row by itself, from its own sums, as docs/proof.md §6 has it. */
export const makeHonestly: MakeStates = ({ parameters, phase, step, keys, before, layer, work }) =>
  before.map((state, row) => {
    const index = phase.layerOf(row, step);
    return stateOf(parameters, keys[row] ?? 0, index, sumsOf(parameters, layer(index), state, work));
  });

export function openKeepingEngine({ hash, clock, model, manners = {} }: KeepingEngineOptions): KeepingEngine {
  let filled: { readonly request: FillRequest; readonly kept: readonly LayerWeights[] } | undefined;
  const passes: Record<PhaseName, KeptPass[]> = { compute: [], bandwidth: [] };
  const audit = createAudit(hash, (phase, pass) => passes[phase][pass]);

  const needFilled = () => {
    if (filled === undefined) throw new LatentError('INTERNAL', 'A pass was asked for before the memory was filled.');
    return filled;
  };
  const { layer: layerFrom = readLayer, input: inputFrom = inputRow } = manners;

  async function fill(request: FillRequest): Promise<void> {
    const kept: LayerWeights[] = [];
    const layers = manners.keptLayers?.(request.layers) ?? request.layers;
    for (let layer = 0; layer < layers; layer++) {
      await pause(request.signal);
      kept.push(deriveLayer(hash, request.parameters, request.sessionId, layer));
      request.onProgress?.(layer + 1);
    }
    filled = { request, kept };
    passes.compute.length = 0;
    passes.bandwidth.length = 0;
    audit.begin(request);
  }

  async function runPass({ phase, seed: given, signal }: PassRequest): Promise<Uint8Array> {
    const { request, kept } = needFilled();
    const { parameters, sessionId } = request;
    const known = passes[phase.name].find((pass) => sameBytes(pass.seed, given));
    if (known !== undefined) return rowRootsOf(known);
    const derive = (index: number) => deriveLayer(hash, parameters, sessionId, index);
    const number = passes[phase.name].length;
    const seed = manners.seed?.(phase.name, given, number) ?? given;
    const rows = Array.from({ length: phase.rows }, (_, row) => row);
    const keys = rows.map((row) => rowKey(hash, parameters, seed, row));
    const states = rows.map((row) => [inputFrom(hash, parameters, seed, row)]);
    const work = noWork();
    const make = manners.make?.[phase.name] ?? makeHonestly;
    let before = states.map(([input]) => unpackRow(input ?? new Uint8Array()));
    for (let step = 0; step < phase.steps; step++) {
      await pause(signal);
      const touched = new Map<number, LayerWeights>();
      const layer = (index: number) => {
        const weights = touched.get(index) ?? layerFrom({ index, kept, derive, work });
        touched.set(index, weights);
        return weights;
      };
      before = [...make({ parameters, hash, phase, seed, step, keys, before, layer, work })];
      for (const [row, state] of before.entries()) states[row]?.push(packRow(state));
    }
    const digests = states.map((row) => row.map((state) => stateDigest(hash, state)));
    const pass = { seed: given, states, digests };
    passes[phase.name].push(pass);
    const workMs = durationMs(model, phase.name, work);
    clock.advance(manners.passMs?.(phase.name, number, workMs) ?? workMs);
    return rowRootsOf(pass);
  }

  /** A pass that was run is not run again: only its roots are told once more. */
  function rowRootsOf({ digests }: KeptPass): Uint8Array {
    return join(...digests.map((row) => treeRoot(hash, row)));
  }

  async function reopenRows(rows: readonly ReopenRow[], signal: AbortSignal): Promise<readonly ReopenedRow[]> {
    if (signal.aborted) throw toLatentError(signal.reason);
    return rows.map(({ phase, seed, row, states: wanted }) => {
      const pass = passes[phase.name].find((kept) => sameBytes(kept.seed, seed));
      const [states, digests] = [pass?.states[row] ?? [], pass?.digests[row] ?? []];
      return { digests: join(...digests), states: states.filter((_, index) => wanted.includes(index)) };
    });
  }

  function replaceState(phase: Phase, pass: number, row: number, state: number, packed: Uint8Array): void {
    const list = passes[phase.name];
    const kept = list[pass];
    if (kept === undefined) throw new LatentError('INTERNAL', 'There is no such pass.');
    const put = <T>(rows: readonly (readonly T[])[], value: T) =>
      rows.map((one, index) => (index === row ? one.with(state, value) : one));
    list[pass] = {
      ...kept,
      states: put(kept.states, packed),
      digests: put(kept.digests, stateDigest(hash, packed)),
    };
    audit.forget(phase.name, pass, row, state);
  }

  return {
    kind: 'reference',
    device: { name: 'a modelled device', class: 'cpu' },
    fittingLayers: async () => model.layers,
    fill,
    runPass,
    reopenRows,
    close: async () => {
      filled = undefined;
    },
    passes: (phase) => passes[phase],
    replaceState,
    isWrong: audit.isWrong,
  };
}

/** An honest engine reads each layer from its memory. */
export function readLayer({ index, kept, work }: LayerCall): LayerWeights {
  const weights = kept[index];
  if (weights === undefined) throw new LatentError('INTERNAL', `Layer ${index} is not kept.`);
  work.bytesRead += weights.length;
  return weights;
}

/** Lets others run, and ends what was stopped. */
async function pause(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (signal.aborted) throw toLatentError(signal.reason);
}
