import { HASH_BYTES, join } from '../spec/bytes.ts';
import { CHUNK_BYTES, CHUNK_VALUES } from '../spec/digests.ts';
import { type Parameters, rowBytes } from '../spec/parameters.ts';
import { type OpeningPlan, sampleBytes } from './opening-plan.ts';

/** What is opened for one sample. */
export interface OpenedSample {
  /** State `step`, packed. */
  readonly state: Uint8Array;
  /** The chunk of state `step + 1` with the sampled output. */
  readonly chunk: Uint8Array;
  /** Digests of that state's other chunks, in order. */
  readonly otherChunks: readonly Uint8Array[];
}

/** One phase's part of a proof, taken apart. Spec: docs/proof.md §9. */
export interface Opening {
  readonly samples: readonly OpenedSample[];
  /** Seeds of `plan.seededPasses`. */
  readonly seeds: readonly Uint8Array[];
  readonly siblingsWithin: readonly Uint8Array[];
  readonly siblingsAbove: readonly Uint8Array[];
}

export function encodeOpening({ samples, seeds, siblingsWithin, siblingsAbove }: Opening): Uint8Array {
  const opened = samples.flatMap(({ state, chunk, otherChunks }) => [state, chunk, ...otherChunks]);
  return join(...opened, ...seeds, ...siblingsWithin, ...siblingsAbove);
}

/** @param bytes exactly plan.bytes of them; views into it are handed out, nothing is copied */
export function decodeOpening(parameters: Parameters, plan: OpeningPlan, bytes: Uint8Array): Opening {
  const row = rowBytes(parameters);
  const each = sampleBytes(parameters);
  const samples = plan.samples.map((_, index) => {
    const part = bytes.subarray(index * each, (index + 1) * each);
    const digests = part.subarray(row + CHUNK_BYTES);
    return {
      state: part.subarray(0, row),
      chunk: part.subarray(row, row + CHUNK_BYTES),
      otherChunks: hashesOf(digests, 0, parameters.width / CHUNK_VALUES - 1),
    };
  });
  const tail = bytes.subarray(plan.samples.length * each);
  const [seeds, within, above] = [plan.seededPasses.length, plan.siblingsWithin.length, plan.siblingsAbove.length];
  return {
    samples,
    seeds: hashesOf(tail, 0, seeds),
    siblingsWithin: hashesOf(tail, seeds, within),
    siblingsAbove: hashesOf(tail, seeds + within, above),
  };
}

function hashesOf(bytes: Uint8Array, first: number, count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    bytes.subarray((first + i) * HASH_BYTES, (first + i + 1) * HASH_BYTES),
  );
}
