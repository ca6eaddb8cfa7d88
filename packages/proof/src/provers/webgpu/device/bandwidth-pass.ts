import { HASH_BYTES } from '../../../spec/bytes.ts';
import type { PassRequest } from '../../engine.ts';
import { stripesOf } from '../shaders/bandwidth-step.wgsl.ts';
import { chunksOf } from '../shaders/digest.wgsl.ts';
import { readBuffer, startTaking } from './buffers.ts';
import { type Commands, startCommands } from './commands.ts';
import type { Passes } from './compute-pass.ts';
import type { Network, Workshop } from './network.ts';
import { type RowSet, rowsOfPass, stateBytes, takeRowSet } from './row-set.ts';
import { groupsOf, runDigests, runInputs } from './stages.ts';

/** Memory that a bandwidth pass works in: its rows are few, so that all their states are kept, and hashed at the end. */
interface BandwidthMemory {
  readonly set: RowSet;
  readonly states: GPUBuffer;
  readonly chunks: GPUBuffer;
  /** Levels of the trees take turns in these. */
  readonly nodes: readonly [GPUBuffer, GPUBuffer];
  /** What each step reads and writes. */
  readonly steps: readonly GPUBindGroup[];
}

/** Bytes that `takeBandwidthPasses` takes. */
export function bandwidthPassBytes(
  { parameters, shape }: Pick<Workshop, 'parameters' | 'shape'>,
  layers: number,
): number {
  const { lanes, laneRows } = parameters;
  const rows = lanes * laneRows;
  return (
    rows * (layers / lanes + 1) * (stateBytes(shape) + (chunksOf(shape) + 2) * HASH_BYTES) + rows * 12 + HASH_BYTES
  );
}

/** Takes what bandwidth passes through this network need. @throws LatentError `DEVICE_OUT_OF_MEMORY` */
export async function takeBandwidthPasses(workshop: Workshop, network: Network): Promise<Passes> {
  const { open, parameters, shape, programs } = workshop;
  const { lanes, laneRows } = parameters;
  const rows = lanes * laneRows;
  const states = rows * (network.layers / lanes + 1);
  const { take, add, release } = startTaking(open);
  try {
    const set = await takeRowSet(open, rowsOfPass(rows), 1);
    add({ destroy: set.release });
    const stateBuffer = await take('all states', states * stateBytes(shape));
    const buffers = lanes / shape.bufferLayers;
    const memory: BandwidthMemory = {
      set,
      states: stateBuffer,
      chunks: await take('digests of chunks', states * chunksOf(shape) * HASH_BYTES),
      nodes: [await take('nodes', states * HASH_BYTES), await take('nodes above', states * HASH_BYTES)],
      steps: Array.from({ length: network.layers / lanes }, (_, step) =>
        programs.bandwidthStep.bind(
          set.keys,
          stateBuffer,
          ...network.weights.slice(step * buffers, (step + 1) * buffers),
        ),
      ),
    };
    return { run: (request) => runBandwidthPass(workshop, memory, request), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function runBandwidthPass(
  workshop: Workshop,
  memory: BandwidthMemory,
  { seed, signal, onProgress }: PassRequest,
): Promise<Uint8Array> {
  const { open, programs, parameters, shape } = workshop;
  const { set, states, chunks, nodes, steps } = memory;
  const rows = parameters.lanes * parameters.laneRows;
  const stateWords = (rows * stateBytes(shape)) / 4;
  open.device.queue.writeBuffer(set.seeds, 0, Uint8Array.from(seed));
  const commands = startCommands(workshop, signal);

  await runInputs(workshop, commands, set, states);
  for (const [step, buffers] of steps.entries()) {
    await commands.dispatch({
      program: programs.bandwidthStep,
      buffers,
      groups: stripesOf(shape) * parameters.lanes,
      parameters: [step * parameters.lanes, step * stateWords, (step + 1) * stateWords],
      heavy: 'bandwidth',
    });
    commands.whenDone(() => onProgress?.(step + 1));
  }
  const count = rows * (steps.length + 1);
  await runDigests(workshop, commands, { state: states, chunks, digests: nodes[0] }, { first: 0, count }, 0);
  const roots = await runTrees(workshop, commands, nodes, rows, steps.length + 1);
  await commands.finish();
  return readBuffer(open, roots, rows * HASH_BYTES);
}

/** @returns the buffer that begins with the roots */
async function runTrees(
  { programs }: Workshop,
  commands: Commands,
  nodes: readonly [GPUBuffer, GPUBuffer],
  rows: number,
  leaves: number,
): Promise<GPUBuffer> {
  let [below, above] = nodes;
  for (let count = leaves; count > 1; count = Math.ceil(count / 2)) {
    await commands.dispatch({
      program: programs.level,
      buffers: programs.level.bind(below, above),
      groups: groupsOf(rows * Math.ceil(count / 2)),
      parameters: [rows, count],
    });
    [below, above] = [above, below];
  }
  return below;
}
