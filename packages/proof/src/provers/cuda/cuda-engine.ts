import { LatentError, toLatentError } from '@latent/protocol';
import type { Engine, FillRequest, PassRequest } from '../engine.ts';
import { type CudaContext, openContext } from './context.ts';
import { loadCudaDriver } from './driver.ts';
import { isHopper, type Kernels, loadKernels } from './kernels.ts';
import { type CudaDevice, type CudaLibraryOptions, findCudaDevice, readCudaDevices } from './list-cuda-devices.ts';
import { allocateNetwork, fillWeights, type Network } from './network.ts';
import { reopenRows } from './reopen-rows.ts';
import { runBandwidthPass } from './run-bandwidth-pass.ts';
import { runComputePass } from './run-compute-pass.ts';
import type { Stage, StepKernel } from './run-rows.ts';
import { fittingLayers } from './working-memory.ts';

export interface CudaEngineOptions extends CudaLibraryOptions {
  /** Number, UUID or PCI id. Default: the first. */
  readonly device?: number | string;
  /** To measure one kernel against the other. Default: the fastest that the device has. */
  readonly stepKernel?: StepKernel;
}

/** Kernels need `mma.sync` on bytes and `cp.async`. Older devices are served by the engine that goes through WebGPU. */
const LEAST_MAJOR = 8;

/**
 * Memory that is left to others: what the driver takes as it goes, and what a desktop may want. A proof that took the last
 * mebibyte would fail by the next window that opens.
 */
const RESERVE = { leastBytes: 64 * 2 ** 20, share: 1 / 200 } as const;

/**
 * An engine for NVIDIA's devices, through the driver's library alone: PTX that is shipped, compiled by the driver.
 *
 * Sets of 16 gates run on matrix units (`kernels/cuda`), any other set on a plain kernel. Nothing blocks the event loop but the
 * compilation when the engine opens, which the driver remembers. Several engines of one process can have different devices.
 * @throws LatentError DEVICE_UNAVAILABLE, DEVICE_UNKNOWN, DEVICE_OUT_OF_MEMORY or DEVICE_LOST
 */
export async function openCudaEngine(options: CudaEngineOptions = {}): Promise<Engine> {
  const driver = await loadCudaDriver(options.libraries);
  const device = findCudaDevice(await readCudaDevices(driver), options.device ?? 0);
  demandCapability(device);
  if (options.stepKernel === 'hopper' && !isHopper(device)) throw noHopper(device);
  const context = await openContext(driver, device);
  try {
    const kernels = await loadKernels(context);
    return createEngine(context, kernels, options.stepKernel ?? (isHopper(device) ? 'hopper' : 'generic'));
  } catch (error) {
    context.close();
    throw error;
  }
}

function createEngine(context: CudaContext, kernels: Kernels, stepKernel: StepKernel): Engine {
  const { device } = context;
  let network: Network | undefined;
  let closed = false;

  function needStage(): Stage {
    if (network === undefined) throw new LatentError('INTERNAL', 'A pass was asked for before the memory was filled.');
    return { context, kernels, network, stepKernel };
  }

  async function fill(request: FillRequest): Promise<void> {
    const { parameters, layers, signal } = request;
    if (signal.aborted) throw toLatentError(signal.reason);
    network?.release();
    network = undefined;
    network = allocateNetwork(context, parameters, layers);
    await fillWeights(context, kernels, network, request);
  }

  async function runPass(request: PassRequest): Promise<Uint8Array> {
    const stage = needStage();
    if (request.signal.aborted) throw toLatentError(request.signal.reason);
    switch (request.phase.name) {
      case 'compute':
        return runComputePass(stage, request);
      case 'bandwidth':
        return runBandwidthPass(stage, request);
    }
  }

  return {
    kind: 'cuda',
    device: { name: device.name, class: 'gpu', memoryBytes: device.memoryBytes },
    fittingLayers: async (parameters) => {
      const reserve = Math.max(RESERVE.leastBytes, Math.ceil(device.memoryBytes * RESERVE.share));
      return fittingLayers(parameters, context.freeBytes() + (network?.bytes ?? 0) - reserve);
    },
    fill,
    runPass,
    reopenRows: async (rows, signal) => {
      const stage = needStage();
      if (signal.aborted) throw toLatentError(signal.reason);
      return reopenRows(stage, rows, signal);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      network?.release();
      network = undefined;
      kernels.unload();
      context.close();
    },
  };
}

function demandCapability({ name, capability: [major, minor] }: CudaDevice): void {
  if (major >= LEAST_MAJOR) return;
  throw new LatentError(
    'DEVICE_UNAVAILABLE',
    `${name} has compute capability ${major}.${minor}, and the kernels need ${LEAST_MAJOR}.0.`,
    { hint: 'Use it through WebGPU.', retry: 'never', details: { name, capability: `${major}.${minor}` } },
  );
}

function noHopper({ name, capability: [major, minor] }: CudaDevice): LatentError {
  return new LatentError('CONFIG_INVALID', `${name} has compute capability ${major}.${minor}; that kernel needs 9.0.`, {
    hint: 'Leave the choice of the kernel to the engine.',
  });
}
