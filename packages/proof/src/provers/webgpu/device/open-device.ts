import { LatentError, toLatentError } from '@latent/protocol';
import type { EngineDevice } from '../../engine.ts';
import type { Arithmetic } from '../shaders/layout.ts';
import { describeAdapter, isSoftware } from './describe-adapter.ts';
import { adaptersIn } from './list-adapters.ts';
import { loadDawn } from './load-dawn.ts';

export interface OpenDeviceOptions {
  /** A part of the device's name as the driver tells it; without one, the first that the library offers. */
  readonly adapter?: string | undefined;
  /** How to multiply; chosen by the device if left out. */
  readonly arithmetic?: Arithmetic | undefined;
  /** Most bytes of one buffer, if less than the device's limits. */
  readonly mostBufferBytes?: number | undefined;
}

/** A device of WebGPU that is ready for work. */
export interface OpenDevice {
  /** What `create` gave. While a device is in use it must not be collected: the library ends with it, and the process. */
  readonly instance: GPU;
  readonly device: GPUDevice;
  readonly description: EngineDevice;
  readonly arithmetic: Arithmetic;
  /** Most bytes of a buffer that shaders use. */
  readonly mostBufferBytes: number;
  /** What the promise gives, unless the device is lost before. @throws LatentError `DEVICE_LOST` */
  readonly orLost: <T>(promise: Promise<T>) => Promise<T>;
  /** @throws LatentError for what went wrong on the device and was not told by any call */
  readonly check: () => void;
  readonly close: () => void;
}

/** @throws LatentError `DEVICE_UNAVAILABLE` if the library or a driver is missing; `DEVICE_UNKNOWN` if no device has that name */
export async function openDevice(options: OpenDeviceOptions): Promise<OpenDevice> {
  const { adapter: wanted, arithmetic, mostBufferBytes = Number.POSITIVE_INFINITY } = options;
  const { create } = await loadDawn();
  const gpu = create(wanted === undefined ? [] : [`adapter=${wanted}`]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch((cause: unknown) => {
    throw unknown(wanted, cause) ?? unavailable(cause);
  });
  if (adapter === null) throw unavailable();
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter
    .requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
    .catch((cause: unknown) => {
      throw unavailable(cause);
    });
  return {
    instance: gpu,
    device,
    description: { name: describeAdapter(adapter.info), class: isSoftware(adapter.info) ? 'software' : 'gpu' },
    arithmetic: arithmetic ?? bestArithmetic(gpu, adapter.info),
    mostBufferBytes: Math.min(mostBufferBytes, maxBufferSize, maxStorageBufferBindingSize),
    ...watchDevice(device),
  };
}

/** Apple's GPUs have no such instruction: the compiler would take `dot4I8Packed` apart into many. */
function bestArithmetic(gpu: GPU, info: GPUAdapterInfo): Arithmetic {
  const offered = gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product');
  return offered && !/apple/i.test(`${info.vendor} ${info.description}`) ? 'dot4' : 'f32';
}

function unavailable(cause?: unknown): LatentError {
  return new LatentError('DEVICE_UNAVAILABLE', 'WebGPU has no device here.', {
    hint: 'Install the device’s driver; on Linux WebGPU also needs a Vulkan loader (libvulkan1) and the driver’s Vulkan part.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** @returns undefined unless other devices are there, which the library names when it refuses */
function unknown(wanted: string | undefined, cause: unknown): LatentError | undefined {
  const names = adaptersIn(cause instanceof Error ? cause.message : '').map(({ name }) => name);
  if (wanted === undefined || names.length === 0) return undefined;
  return new LatentError('DEVICE_UNKNOWN', `WebGPU has no device whose name contains "${wanted}".`, {
    hint: `It has: ${names.join(', ')}.`,
    details: { wanted, devices: names },
    cause,
  });
}

function watchDevice(device: GPUDevice): Pick<OpenDevice, 'orLost' | 'check' | 'close'> {
  const waiting = new Set<(error: LatentError) => void>();
  let failure: LatentError | undefined;

  device.addEventListener('uncapturederror', ({ error }) => {
    failure ??= ofDeviceError(error);
  });
  void device.lost.then(({ reason, message }) => {
    failure = new LatentError('DEVICE_LOST', `The device was lost: ${message || reason || 'no reason given'}.`, {
      hint: 'Look into the system’s log for a reset of the driver. A device that is too slow for its driver’s watchdog is reset too.',
      ...(failure === undefined ? {} : { cause: failure }),
    });
    for (const tell of waiting) tell(failure);
  });

  function check(): void {
    if (failure !== undefined) throw failure;
  }
  async function orLost<T>(promise: Promise<T>): Promise<T> {
    check();
    const { promise: lost, reject } = Promise.withResolvers<never>();
    waiting.add(reject);
    try {
      return await Promise.race([promise, lost]);
    } catch (error) {
      // A map that fails because the device is gone is told before the loss itself.
      check();
      throw toLatentError(error);
    } finally {
      waiting.delete(reject);
    }
  }
  return { check, orLost, close: () => device.destroy() };
}

function ofDeviceError(error: GPUError): LatentError {
  const cause = new Error(error.message);
  return error.constructor.name === 'GPUOutOfMemoryError'
    ? new LatentError('DEVICE_OUT_OF_MEMORY', 'The device ran out of memory while it worked.', { cause })
    : new LatentError('INTERNAL', 'The device refused what it was asked to do.', { cause });
}
