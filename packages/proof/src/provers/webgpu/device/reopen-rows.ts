import { at, HASH_BYTES } from '../../../spec/bytes.ts';
import { packRow } from '../../../spec/values.ts';
import type { ReopenedRow, ReopenRow } from '../../engine.ts';
import { chunksOf } from '../shaders/digest.wgsl.ts';
import { TILE_ROWS } from '../shaders/layout.ts';
import { readBuffer, takeBuffer } from './buffers.ts';
import { type Commands, startCommands } from './commands.ts';
import type { Network, Workshop } from './network.ts';
import { paddedRows, type RowSet, stateBytes, takeRowSet } from './row-set.ts';
import { type RowSpan, runComputeStep, runDigests, runInputs } from './stages.ts';

/** Rows that go through the same layers: all of a compute phase, or those of one lane. */
interface Segment extends RowSpan {
  /** Places in the request, in the order of the segment's rows. */
  readonly members: readonly number[];
  readonly steps: number;
  /** The layer of step t is t · stride + offset. */
  readonly stride: number;
  readonly offset: number;
  /** Where its digests begin, counted in digests: state t of member i is at t · count + i from there. */
  readonly firstDigest: number;
}

interface Memory {
  readonly set: RowSet;
  readonly states: readonly [GPUBuffer, GPUBuffer];
  readonly chunks: GPUBuffer;
  readonly digests: GPUBuffer;
  /** The states that are wanted whole, in the order of rows and then of wishes. */
  readonly kept: GPUBuffer;
}

/** Most bytes that reopening all samples of a proof takes, copies for the way back included. */
export function reopenBytes({ parameters, shape }: Pick<Workshop, 'parameters' | 'shape'>, layers: number): number {
  const { samples, lanes } = parameters;
  const rows = 2 * samples + (1 + lanes) * TILE_ROWS;
  const digests = samples * (layers + layers / lanes + 2) * HASH_BYTES;
  const kept = 4 * samples * stateBytes(shape);
  return rows * (2 * stateBytes(shape) + (chunksOf(shape) + 1) * HASH_BYTES + 12) + 2 * (digests + kept);
}

/**
 * Runs rows of any passes and phases again, in one go through the weights: in each layer the rows of all compute passes,
 * and those of the lane that reads that layer.
 */
export async function reopenRows(
  workshop: Workshop,
  network: Network,
  rows: readonly ReopenRow[],
  signal: AbortSignal,
): Promise<readonly ReopenedRow[]> {
  if (rows.length === 0) return [];
  const { open, shape } = workshop;
  const segments = segmentsOf(rows, network.layers);
  const wishes = firstWishes(rows);
  const release: (() => void)[] = [];
  try {
    const memory = await takeMemory(workshop, rows, segments, release);
    const commands = startCommands(workshop, signal);
    const run = (segment: Segment, step: number) =>
      commitStates(workshop, commands, memory, { rows, wishes, segment, step });
    await runInputs(workshop, commands, memory.set, memory.states[0]);
    for (const segment of segments) await run(segment, 0);
    for (let layer = 0; layer < network.layers; layer++) {
      for (const segment of segments) {
        if (layer % segment.stride !== segment.offset) continue;
        await stepSegment(workshop, commands, network, memory, segment, layer);
        await run(segment, Math.floor(layer / segment.stride) + 1);
      }
    }
    await commands.finish();
    const digests = await readBuffer(open, memory.digests, memory.digests.size);
    const kept = await readBuffer(open, memory.kept, memory.kept.size);
    return collect(rows, segments, wishes, { digests, kept, bytes: stateBytes(shape) });
  } finally {
    for (const giveBack of release) giveBack();
  }
}

/** Rows that share their layers, each segment from a whole tile on. */
function segmentsOf(rows: readonly ReopenRow[], layers: number): readonly Segment[] {
  const segments: Segment[] = [];
  let [first, firstDigest] = [0, 0];
  const members = Map.groupBy(rows.keys(), (index) => {
    const { phase, row } = rowAt(rows, index);
    return `${phase.name} ${phase.layerOf(row, 0)}`;
  });
  for (const indices of members.values()) {
    const { phase, row } = rowAt(rows, indices[0]);
    const { steps } = phase;
    const place = { first, count: indices.length, firstDigest };
    segments.push({ ...place, members: indices, steps, stride: layers / steps, offset: phase.layerOf(row, 0) });
    first += paddedRows(indices.length);
    firstDigest += indices.length * (steps + 1);
  }
  return segments;
}

function rowAt(rows: readonly ReopenRow[], index: number | undefined): ReopenRow {
  const row = index === undefined ? undefined : rows[index];
  if (row === undefined) throw new RangeError(`row ${index} of ${rows.length}`);
  return row;
}

/** Of each row, the place among the kept states where its first goes. */
function firstWishes(rows: readonly ReopenRow[]): readonly number[] {
  let next = 0;
  return rows.map(({ states }) => {
    next += states.length;
    return next - states.length;
  });
}

async function takeMemory(
  { open, shape }: Workshop,
  rows: readonly ReopenRow[],
  segments: readonly Segment[],
  release: (() => void)[],
): Promise<Memory> {
  const take = async (label: string, bytes: number) => {
    const buffer = await takeBuffer(open, label, bytes);
    release.push(() => buffer.destroy());
    return buffer;
  };
  const total = segments.reduce((sum, { count }) => sum + paddedRows(count), 0);
  const numbers = new Uint32Array(2 * total);
  const seeds = new Uint8Array(HASH_BYTES * rows.length);
  for (const { first, members } of segments) {
    for (const [place, index] of members.entries()) {
      const { row, seed } = rowAt(rows, index);
      numbers.set([index, row], 2 * (first + place));
      seeds.set(seed, HASH_BYTES * index);
    }
  }
  const set = await takeRowSet(open, numbers, rows.length);
  release.push(set.release);
  open.device.queue.writeBuffer(set.seeds, 0, seeds);
  const digests = segments.reduce((sum, { count, steps }) => sum + count * (steps + 1), 0);
  const wishes = rows.reduce((sum, { states }) => sum + states.length, 0);
  return {
    set,
    states: [await take('states', total * stateBytes(shape)), await take('next states', total * stateBytes(shape))],
    chunks: await take('digests of chunks', total * chunksOf(shape) * HASH_BYTES),
    digests: await take('digests of states', digests * HASH_BYTES),
    kept: await take('kept states', Math.max(1, wishes) * stateBytes(shape)),
  };
}

/** Sends a segment through the layer that its step is at. */
async function stepSegment(
  workshop: Workshop,
  commands: Commands,
  network: Network,
  { set, states }: Memory,
  segment: Segment,
  layer: number,
): Promise<void> {
  const step = Math.floor(layer / segment.stride);
  const [source, next] = step % 2 === 0 ? states : [states[1], states[0]];
  const buffers = workshop.programs.computeStep.bind(network.layer(layer), source, set.keys, next);
  await runComputeStep(workshop, commands, buffers, layer, segment);
}

interface CommittedStates {
  readonly rows: readonly ReopenRow[];
  readonly wishes: readonly number[];
  readonly segment: Segment;
  readonly step: number;
}

/** Digests the states that a segment has before `step`, and keeps those that are wanted whole. */
async function commitStates(
  workshop: Workshop,
  commands: Commands,
  { states, chunks, digests, kept }: Memory,
  { rows, wishes, segment, step }: CommittedStates,
): Promise<void> {
  const state = states[step % 2 === 0 ? 0 : 1];
  const targetFirst = segment.firstDigest + step * segment.count;
  await runDigests(workshop, commands, { state, chunks, digests }, segment, targetFirst);
  const bytes = stateBytes(workshop.shape);
  for (const [place, index] of segment.members.entries()) {
    const wish = rowAt(rows, index).states.indexOf(step);
    if (wish < 0) continue;
    const slot = at(wishes, index) + wish;
    commands.copy(state, (segment.first + place) * bytes, kept, slot * bytes, bytes);
  }
}

interface ReadBack {
  readonly digests: Uint8Array;
  readonly kept: Uint8Array<ArrayBuffer>;
  readonly bytes: number;
}

function collect(
  rows: readonly ReopenRow[],
  segments: readonly Segment[],
  wishes: readonly number[],
  { digests, kept, bytes }: ReadBack,
): readonly ReopenedRow[] {
  const places = new Map(
    segments.flatMap((segment) => segment.members.map((index, place) => [index, { segment, place }] as const)),
  );
  return rows.map(({ states }, index) => {
    const found = places.get(index);
    if (found === undefined) throw new RangeError(`row ${index} of ${rows.length}`);
    const { segment, place } = found;
    const own = new Uint8Array((segment.steps + 1) * HASH_BYTES);
    for (let state = 0; state <= segment.steps; state++) {
      const from = (segment.firstDigest + state * segment.count + place) * HASH_BYTES;
      own.set(digests.subarray(from, from + HASH_BYTES), state * HASH_BYTES);
    }
    const first = at(wishes, index);
    return {
      digests: own,
      states: states.map((_, wish) => packRow(new Int8Array(kept.buffer, (first + wish) * bytes, bytes))),
    };
  });
}
