import { LatentError, toLatentError } from '@latent/protocol';
import { type Hash, join } from '../../spec/bytes.ts';
import { stateDigest } from '../../spec/digests.ts';
import { nobleHash } from '../../spec/noble.ts';
import type { Parameters } from '../../spec/parameters.ts';
import type { Phase } from '../../spec/phase.ts';
import { accumulate, requantise, weights } from '../../spec/step.ts';
import { treeRoot } from '../../spec/tree.ts';
import { inputRow, packRow, rowKey, unpackRow } from '../../spec/values.ts';
import type { Engine, FillRequest, PassRequest, ReopenedRow, ReopenRow } from '../engine.ts';

interface Filled {
  readonly parameters: Parameters;
  /** Weights by layer, then output × gates + gate. */
  readonly layers: readonly (readonly Int8Array[])[];
}

export interface ReferenceEngineOptions {
  readonly hash?: Hash;
  /** What `fittingLayers` answers, rounded down to the lanes. */
  readonly mostLayers?: number;
}

/**
 * The specification as an engine: plain, slow, and what every other engine is held against. It shows no progress within
 * a pass, and is of use with small parameters only.
 */
export function openReferenceEngine({ hash = nobleHash, mostLayers = 8 }: ReferenceEngineOptions = {}): Engine {
  let filled: Filled | undefined;

  async function fill({ parameters, sessionId, layers, signal, onProgress }: FillRequest): Promise<void> {
    const columns: (readonly Int8Array[])[] = [];
    for (let layer = 0; layer < layers; layer++) {
      await pause(signal);
      columns.push(
        Array.from({ length: parameters.width * parameters.gates }, (_, column) => {
          const output = Math.floor(column / parameters.gates);
          return weights(hash, parameters, sessionId, layer, column % parameters.gates, output);
        }),
      );
      onProgress?.(layer + 1);
    }
    filled = { parameters, layers: columns };
  }

  function needFilled(): Filled {
    if (filled === undefined) throw new LatentError('INTERNAL', 'A pass was asked for before the memory was filled.');
    return filled;
  }

  async function runPass({ phase, seed, signal }: PassRequest): Promise<Uint8Array> {
    const network = needFilled();
    const roots: Uint8Array[] = [];
    for (let row = 0; row < phase.rows; row++) {
      await pause(signal);
      const states = runRow(hash, network, phase, seed, row);
      const digests = states.map((state) => stateDigest(hash, state));
      roots.push(treeRoot(hash, digests));
    }
    return join(...roots);
  }

  async function reopenRows(rows: readonly ReopenRow[], signal: AbortSignal): Promise<readonly ReopenedRow[]> {
    const network = needFilled();
    const reopened: ReopenedRow[] = [];
    for (const { phase, seed, row, states: wanted } of rows) {
      await pause(signal);
      const states = runRow(hash, network, phase, seed, row);
      reopened.push({
        digests: join(...states.map((state) => stateDigest(hash, state))),
        states: states.filter((_, index) => wanted.includes(index)),
      });
    }
    return reopened;
  }

  return {
    kind: 'reference',
    device: { name: 'plain TypeScript', class: 'cpu' },
    fittingLayers: async ({ lanes }) => Math.floor(mostLayers / lanes) * lanes,
    fill,
    runPass,
    reopenRows,
    close: async () => {
      filled = undefined;
    },
  };
}

/** All states of a row, packed. */
function runRow(
  hash: Hash,
  { parameters, layers }: Filled,
  phase: Phase,
  seed: Uint8Array,
  row: number,
): readonly Uint8Array[] {
  const key = rowKey(hash, parameters, seed, row);
  const states = [inputRow(hash, parameters, seed, row)];
  let state = unpackRow(join(...states));
  for (let step = 0; step < phase.steps; step++) {
    const layer = phase.layerOf(row, step);
    const columns = layers[layer] ?? [];
    const sums = columns.map((column) => accumulate(state, column));
    const next = new Int8Array(parameters.width);
    for (let output = 0; output < next.length; output++) {
      const own = sums.slice(output * parameters.gates, (output + 1) * parameters.gates);
      next[output] = requantise(key, layer, output, own) - 8;
    }
    states.push(packRow(next));
    state = next;
  }
  return states;
}

/** Lets others run, and ends what was stopped. */
async function pause(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (signal.aborted) throw toLatentError(signal.reason);
}
