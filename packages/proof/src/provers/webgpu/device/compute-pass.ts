import { HASH_BYTES } from '../../../spec/bytes.ts';
import { treeDepth } from '../../../spec/tree.ts';
import type { PassRequest } from '../../engine.ts';
import { chunksOf } from '../shaders/digest.wgsl.ts';
import { readBuffer, startTaking } from './buffers.ts';
import { startCommands } from './commands.ts';
import type { Network, Workshop } from './network.ts';
import { paddedRows, type RowSet, rowsOfPass, stateBytes, takeRowSet } from './row-set.ts';
import { groupsOf, runComputeStep, runDigests, runInputs } from './stages.ts';

/** Memory that a compute pass works in. Of its states only two are kept, and of the rows' trees one node for each level. */
interface ComputeMemory {
  readonly set: RowSet;
  readonly states: readonly [GPUBuffer, GPUBuffer];
  readonly chunks: GPUBuffer;
  readonly digests: GPUBuffer;
  readonly waiting: GPUBuffer;
  readonly roots: GPUBuffer;
}

export interface Passes {
  /** @returns the row roots, rows × 32 bytes */
  readonly run: (request: PassRequest) => Promise<Uint8Array>;
  readonly release: () => void;
}

/** Bytes that `takeComputePasses` takes. */
export function computePassBytes(
  { parameters, shape }: Pick<Workshop, 'parameters' | 'shape'>,
  layers: number,
): number {
  const rows = parameters.computeRows;
  const digests = chunksOf(shape) + treeDepth(layers + 1) + 3;
  return paddedRows(rows) * (2 * stateBytes(shape) + 4) + rows * (8 + digests * HASH_BYTES) + HASH_BYTES;
}

/** Takes what compute passes through this network need. @throws LatentError `DEVICE_OUT_OF_MEMORY` */
export async function takeComputePasses(workshop: Workshop, network: Network): Promise<Passes> {
  const { open, parameters, shape } = workshop;
  const rows = parameters.computeRows;
  const { take, add, release } = startTaking(open);
  try {
    const set = await takeRowSet(open, rowsOfPass(rows), 1);
    add({ destroy: set.release });
    const memory: ComputeMemory = {
      set,
      states: [
        await take('states', paddedRows(rows) * stateBytes(shape)),
        await take('next states', paddedRows(rows) * stateBytes(shape)),
      ],
      chunks: await take('digests of chunks', rows * chunksOf(shape) * HASH_BYTES),
      digests: await take('digests of states', rows * HASH_BYTES),
      waiting: await take('trees', rows * (treeDepth(network.layers + 1) + 1) * HASH_BYTES),
      roots: await take('row roots', rows * HASH_BYTES),
    };
    return { run: (request) => runComputePass(workshop, network, memory, request), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function runComputePass(
  workshop: Workshop,
  network: Network,
  memory: ComputeMemory,
  { seed, signal, onProgress }: PassRequest,
): Promise<Uint8Array> {
  const { open, programs, parameters } = workshop;
  const { set, states, chunks, digests, waiting, roots } = memory;
  const rows = parameters.computeRows;
  const span = { first: 0, count: rows };
  open.device.queue.writeBuffer(set.seeds, 0, Uint8Array.from(seed));
  const commands = startCommands(workshop, signal);
  const stateOf = (step: number) => states[step % 2 === 0 ? 0 : 1];
  const grown = programs.grow.bind(digests, waiting);

  const commit = async (step: number) => {
    await runDigests(workshop, commands, { state: stateOf(step), chunks, digests }, span, 0);
    await commands.dispatch({
      program: programs.grow,
      buffers: grown,
      groups: groupsOf(rows),
      parameters: [rows, step],
    });
  };
  await runInputs(workshop, commands, set, stateOf(0));
  await commit(0);
  for (let step = 0; step < network.layers; step++) {
    const buffers = programs.computeStep.bind(network.layer(step), stateOf(step), set.keys, stateOf(step + 1));
    await runComputeStep(workshop, commands, buffers, step, span);
    await commit(step + 1);
    commands.whenDone(() => onProgress?.(step + 1));
  }
  await commands.dispatch({
    program: programs.roots,
    buffers: programs.roots.bind(roots, waiting),
    groups: groupsOf(rows),
    parameters: [rows, network.layers + 1, treeDepth(network.layers + 1)],
  });
  await commands.finish();
  return readBuffer(open, roots, rows * HASH_BYTES);
}
