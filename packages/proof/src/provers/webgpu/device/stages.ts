import { columnTiles } from '../shaders/compute-step.wgsl.ts';
import { chunksOf } from '../shaders/digest.wgsl.ts';
import { hashesOfInput } from '../shaders/input.wgsl.ts';
import { GROUP_SIZE, TILE_ROWS } from '../shaders/layout.ts';
import type { Commands } from './commands.ts';
import type { Workshop } from './network.ts';
import { paddedRows, type RowSet } from './row-set.ts';

/** States of a row set, and buffers that their digests pass through. */
export interface DigestBuffers {
  readonly state: GPUBuffer;
  readonly chunks: GPUBuffer;
  readonly digests: GPUBuffer;
}

/** Rows of a set that go together through a layer. */
export interface RowSpan {
  readonly first: number;
  readonly count: number;
}

/** Workgroups of a shader that has one invocation for each of so many things. */
export function groupsOf(count: number): number {
  return Math.ceil(count / GROUP_SIZE);
}

/** Inputs and keys of all rows of a set, from its seeds. */
export async function runInputs(
  { programs, shape }: Workshop,
  commands: Commands,
  set: RowSet,
  state: GPUBuffer,
): Promise<void> {
  const count = set.rows * hashesOfInput(shape);
  await commands.dispatch({
    program: programs.input,
    buffers: programs.input.bind(set.numbers, set.seeds, state, set.keys),
    groups: groupsOf(count),
    parameters: [count],
  });
}

/** Digests of the states of a span. @param targetFirst where the first goes, counted in digests */
export async function runDigests(
  { programs, shape }: Workshop,
  commands: Commands,
  { state, chunks, digests }: DigestBuffers,
  { first, count }: RowSpan,
  targetFirst: number,
): Promise<void> {
  const each = chunksOf(shape);
  await commands.dispatch({
    program: programs.chunks,
    buffers: programs.chunks.bind(state, chunks),
    groups: groupsOf(count * each),
    parameters: [count * each, first * each],
  });
  await commands.dispatch({
    program: programs.stateDigests,
    buffers: programs.stateDigests.bind(chunks, digests),
    groups: groupsOf(count),
    parameters: [count, first, targetFirst],
  });
}

/** A span through one layer. @param buffers as `bindStep` makes them */
export async function runComputeStep(
  { programs, shape }: Workshop,
  commands: Commands,
  buffers: GPUBindGroup,
  layer: number,
  { first, count }: RowSpan,
): Promise<void> {
  const rowTiles = paddedRows(count) / TILE_ROWS;
  await commands.dispatch({
    program: programs.computeStep,
    buffers,
    groups: rowTiles * columnTiles(shape),
    parameters: [layer, rowTiles, first],
    heavy: 'compute',
  });
}
