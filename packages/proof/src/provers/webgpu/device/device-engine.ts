import { LatentError } from '@latent/protocol';
import { layerBytes, MOST_LAYERS, type Parameters } from '../../../spec/parameters.ts';
import type { Engine, FillRequest, PassRequest } from '../../engine.ts';
import { takeBandwidthPasses } from './bandwidth-pass.ts';
import { type Passes, takeComputePasses } from './compute-pass.ts';
import { fittingLayers } from './fitting-layers.ts';
import { fillNetwork, type Network, takeNetwork, type Workshop } from './network.ts';
import { type OpenDevice, type OpenDeviceOptions, openDevice } from './open-device.ts';
import { createPace } from './pace.ts';
import { createSlots, type Program } from './program.ts';
import { createPrograms } from './programs.ts';
import { reopenRows } from './reopen-rows.ts';
import { shapeOf } from './shape-of.ts';

export interface DeviceEngineOptions extends OpenDeviceOptions {
  /** See `WebGpuEngineOptions`. */
  readonly memoryBytes: number;
}

interface Filled {
  readonly workshop: Workshop;
  readonly network: Network;
  readonly compute: Passes;
  readonly bandwidth: Passes;
}

/**
 * The engine in this very process, where a failing driver takes everything down with it. Others want `openWebGpuEngine`.
 * @throws LatentError `DEVICE_UNAVAILABLE`
 */
export async function openDeviceEngine(options: DeviceEngineOptions): Promise<Engine> {
  const open = await openDevice(options);
  const workshopFor = createWorkshops(open);
  let filled: Filled | undefined;

  function release(): void {
    for (const buffer of filled?.network.weights ?? []) buffer.destroy();
    filled?.compute.release();
    filled?.bandwidth.release();
    filled = undefined;
  }

  async function fill({ parameters, sessionId, layers, signal, onProgress }: FillRequest): Promise<void> {
    signal.throwIfAborted();
    release();
    const workshop = await workshopFor(parameters);
    filled = await takeAll(workshop, layers, signal);
    try {
      await fillNetwork(workshop, filled.network, sessionId, signal, (done) => onProgress?.(done));
    } catch (error) {
      release();
      throw error;
    }
  }

  function needFilled(): Filled {
    if (filled === undefined) throw new LatentError('INTERNAL', 'A pass was asked for before the memory was filled.');
    return filled;
  }

  return {
    kind: 'webgpu',
    device: open.description,
    fittingLayers: async (parameters) => {
      const own = filled === undefined ? 0 : filled.network.layers * layerBytes(filled.workshop.parameters);
      return Math.min(MOST_LAYERS, await fittingLayers(open, parameters, options.memoryBytes, own));
    },
    fill,
    runPass: async (request: PassRequest) => needFilled()[request.phase.name].run(request),
    reopenRows: async (rows, signal) => {
      const { workshop, network } = needFilled();
      return reopenRows(workshop, network, rows, signal);
    },
    close: async () => {
      release();
      open.close();
    },
  };
}

/** @returns the workshop of a parameter set, whose shaders are compiled once */
function createWorkshops(open: OpenDevice): (parameters: Parameters) => Promise<Workshop> {
  const slots = createSlots(open);
  const made = new Map<string, Workshop>();
  const compiled = new Map<string, Promise<Program>>();
  return async (parameters) => {
    const shape = shapeOf(open, parameters);
    const name = JSON.stringify(shape);
    const earlier = made.get(name);
    if (earlier !== undefined) return { ...earlier, parameters };
    const programs = await createPrograms(open, slots, shape, compiled);
    const workshop = { open, slots, pace: createPace(), parameters, shape, programs };
    made.set(name, workshop);
    return workshop;
  };
}

async function takeAll(workshop: Workshop, layers: number, signal: AbortSignal): Promise<Filled> {
  const network = await takeNetwork(workshop, layers, signal);
  let compute: Passes | undefined;
  try {
    compute = await takeComputePasses(workshop, network);
    return { workshop, network, compute, bandwidth: await takeBandwidthPasses(workshop, network) };
  } catch (error) {
    for (const buffer of network.weights) buffer.destroy();
    compute?.release();
    throw error;
  }
}
