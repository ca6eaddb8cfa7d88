import type { Engine } from '../engine.ts';
import type { WebGpuAdapter } from './device/list-adapters.ts';
import { type DeviceProcess, startDeviceProcess } from './process/device-process.ts';
import { resultSchemas } from './process/messages.ts';
import type { Arithmetic } from './shaders/layout.ts';

export type { WebGpuAdapter } from './device/list-adapters.ts';

/** Memory that is tried for if nobody knows how much the device has. */
const UNTOLD_MEMORY_BYTES = 2 * 2 ** 30;

export interface WebGpuEngineOptions {
  /**
   * A part of the device's name; without one, the device that the library prefers. Two identical devices cannot be told
   * apart by name: a driver that can be narrowed down by `environment` helps, or another kind of engine.
   */
  readonly adapter?: string;
  /**
   * Memory that the device is known to have, in bytes, from whoever discovered it: `fittingLayers` tries for no more. WebGPU
   * does not tell. Without it, no more than 2 GiB are tried for.
   */
  readonly memoryBytes?: number;
  /** How to multiply; chosen by the device if left out. Both give the same bytes. */
  readonly arithmetic?: Arithmetic;
  /** Most bytes of one buffer, if less than the device's own limit should be taken at a time. */
  readonly mostBufferBytes?: number;
  /** Variables for the process that runs the device, in addition to this one's: `VK_DRIVER_FILES` chooses a Vulkan driver. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * An engine on whatever WebGPU finds: Vulkan, Metal or Direct3D 12. The device is run by a process of its own, which ends
 * with `close`, or with this process.
 * @throws LatentError `DEVICE_UNAVAILABLE` if the library or a driver is missing; `DEVICE_UNKNOWN` if no device has the name
 *   that was asked for; `DEVICE_LOST` if the driver fails at once
 */
export async function openWebGpuEngine(options: WebGpuEngineOptions = {}): Promise<Engine> {
  const { environment, memoryBytes = UNTOLD_MEMORY_BYTES, ...others } = options;
  const device = startDeviceProcess(environment);
  try {
    const description = await device.call({ call: 'open', options: { memoryBytes, ...others } }, resultSchemas.open);
    return engineOf(device, description);
  } catch (error) {
    await device.close();
    throw error;
  }
}

function engineOf(device: DeviceProcess, description: Engine['device']): Engine {
  return {
    kind: 'webgpu',
    device: description,
    fittingLayers: (parameters) => device.call({ call: 'fittingLayers', parameters }, resultSchemas.fittingLayers),
    fill: ({ parameters, sessionId, layers, signal, onProgress }) =>
      device.call({ call: 'fill', parameters, sessionId, layers }, resultSchemas.fill, { signal, onProgress }),
    runPass: ({ phase, seed, signal, onProgress }) =>
      device.call({ call: 'runPass', phase: phase.name, seed }, resultSchemas.runPass, { signal, onProgress }),
    reopenRows: (rows, signal) =>
      device.call(
        {
          call: 'reopenRows',
          rows: rows.map(({ phase, seed, row, states }) => ({ phase: phase.name, seed, row, states: [...states] })),
        },
        resultSchemas.reopenRows,
        { signal },
      ),
    close: device.close,
  };
}

/**
 * The devices that WebGPU offers, software ones included; none if there is no driver.
 * @param environment as in `WebGpuEngineOptions`
 * @throws LatentError `DEVICE_UNAVAILABLE` if the library is missing; `DEVICE_LOST` if a driver fails on being asked
 */
export async function listWebGpuAdapters(
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly WebGpuAdapter[]> {
  const device = startDeviceProcess(environment);
  try {
    return await device.call({ call: 'list' }, resultSchemas.list);
  } finally {
    await device.close();
  }
}
