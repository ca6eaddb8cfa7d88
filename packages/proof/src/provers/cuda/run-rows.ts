import type { CudaContext } from './context.ts';
import { isHopper, type Kernel, type KernelName, type Kernels } from './kernels.ts';
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

/** The fastest that a device has. */
export function bestStepKernel(context: CudaContext): StepKernel {
  return isHopper(context.device) ? 'hopper' : 'generic';
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

/** One step of rows that all go through the same layer. */
export function launchStep(stage: Stage, from: bigint, to: bigint, keys: bigint, layer: number, rows: number): void {
  const { context, kernels, network, stepKernel } = stage;
  const { width, gates } = network.parameters;
  const weights = network.layerAt(layer);
  if (!network.tiled) {
    launchEach(stage, kernels.of('plain_step'), rows * width, [from, to, keys, weights, layer, rows, width, gates]);
    return;
  }
  const rowTiles = Math.ceil(rows / TILE_ROWS);
  const tiles = (rowTiles * width) / 16;
  const kernel = kernels.of(stepKernel === 'hopper' ? 'hopper_step' : 'tiled_step');
  const blocks = Math.min(tiles, context.device.multiprocessors);
  context.launch(kernel, blocks, [from, to, keys, weights, layer, rowTiles, width]);
}

/** The bandwidth kernel that keeps most bytes on their way in this device's shared memory. */
export function bandwidthKernel(kernels: Kernels): Kernel {
  const names: readonly KernelName[] = ['bandwidth_steps_12', 'bandwidth_steps_8', 'bandwidth_steps_4'];
  return kernels.of(names.find((name) => kernels.has(name)) ?? 'bandwidth_steps_4');
}
