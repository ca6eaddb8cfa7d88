import type { CudaContext } from './context.ts';
import type { Kernel, KernelName, Kernels } from './kernels.ts';
import type { Network } from './network.ts';
import { TILE_ROWS } from './working-memory.ts';

/** Which compute kernel is used where there is a choice: `hopper` has instructions of compute capability 9.0. */
export type StepKernel = 'hopper' | 'generic';

/** A device with its network, ready to run rows. */
export interface Stage {
  readonly context: CudaContext;
  readonly kernels: Kernels;
  readonly network: Network;
  readonly stepKernel: StepKernel;
}

/** A kernel over one thread for each of `count` things. */
export function launchEach(
  { context }: Stage,
  kernel: Kernel,
  count: number,
  parameters: readonly (number | bigint)[],
) {
  context.launch(kernel, Math.ceil(count / kernel.threads), parameters);
}

export interface Inputs {
  readonly states: bigint;
  readonly keys: bigint;
  readonly rows: number;
  /** 0: one seed for all rows, which are numbered from 0. Else each row has its own, and its number. */
  readonly seedOfEach: boolean;
  readonly tiled: 0 | 1;
}

/** Makes state 0 and the keys of rows from the seeds that were written. */
export function launchInputs(stage: Stage, { states, keys, rows, seedOfEach, tiled }: Inputs): void {
  const { width } = stage.network.parameters;
  const { seeds, rowNumbers } = stage.network.work;
  launchEach(stage, stage.kernels.of('make_inputs'), rows * (width / 64 + 1), [
    states,
    keys,
    seeds,
    seedOfEach ? 4 : 0,
    seedOfEach ? rowNumbers : 0n,
    rows,
    width,
    tiled,
  ]);
}

/** Where a state of rows is digested to: one leaf of each row's tree, or a list of digests. */
export interface DigestTarget {
  readonly digests: bigint;
  readonly frontier: bigint;
  readonly leaf: number;
}

export function launchDigests(
  stage: Stage,
  states: bigint,
  rows: number,
  tiled: 0 | 1,
  { digests, frontier, leaf }: DigestTarget,
): void {
  const { width } = stage.network.parameters;
  const { chunkDigests } = stage.network.work;
  launchEach(stage, stage.kernels.of('digest_chunks'), rows * (width / 256), [
    states,
    chunkDigests,
    rows,
    width,
    tiled,
  ]);
  launchEach(stage, stage.kernels.of('digest_states'), rows, [chunkDigests, digests, frontier, leaf, rows, width]);
}

/** Rows that all go through the same layer: where they are, where they go, and their keys. */
export interface StepRows {
  readonly from: bigint;
  readonly to: bigint;
  readonly keys: bigint;
  readonly rows: number;
}

/** One step. */
export function launchStep(stage: Stage, { from, to, keys, rows }: StepRows, layer: number): void {
  const { kernels, network } = stage;
  const { width, gates } = network.parameters;
  const weights = network.layerAt(layer);
  if (network.tiled) {
    launchTiles(stage, kernels.of('tiled_step'), rows, [from, to, keys, weights, layer, tilesOf(rows), width]);
  } else {
    launchEach(stage, kernels.of('plain_step'), rows * width, [from, to, keys, weights, layer, rows, width, gates]);
  }
}

/** One step, and the digests of the state that it begins with. */
export function launchDigestsAndStep(stage: Stage, rows: StepRows, layer: number, target: DigestTarget): void {
  const { kernels, network, stepKernel } = stage;
  if (!network.tiled || stepKernel !== 'hopper') {
    launchDigests(stage, rows.from, rows.rows, network.tiled, target);
    launchStep(stage, rows, layer);
    return;
  }
  const { from, to, keys, rows: count } = rows;
  const { digests, frontier, leaf } = target;
  launchTiles(stage, kernels.of('hopper_step'), count, [
    ...[from, to, keys, network.layerAt(layer), layer, tilesOf(count), network.parameters.width],
    ...[network.work.chunkDigests, digests, frontier, leaf, count],
  ]);
}

function tilesOf(rows: number): number {
  return Math.ceil(rows / TILE_ROWS);
}

/** Blocks that stay and share the tiles of 128 rows by 16 outputs. */
function launchTiles(
  { context, network }: Stage,
  kernel: Kernel,
  rows: number,
  parameters: readonly (number | bigint)[],
): void {
  const tiles = (tilesOf(rows) * network.parameters.width) / 16;
  context.launch(kernel, Math.min(tiles, context.device.multiprocessors), parameters);
}

/** The bandwidth kernel that keeps most bytes on their way in this device's shared memory. */
export function bandwidthKernel(kernels: Kernels): Kernel {
  const names: readonly KernelName[] = ['bandwidth_steps_12', 'bandwidth_steps_8', 'bandwidth_steps_4'];
  return kernels.of(names.find((name) => kernels.has(name)) ?? 'bandwidth_steps_4');
}
