import { setImmediate, setTimeout } from 'node:timers/promises';
import { toLatentError } from '@latent/protocol';
import { CUDA_NOT_READY, CUDA_SUCCESS, checkCuda } from './cuda-failure.ts';
import type { CudaDriver } from './driver.ts';
import type { Kernel } from './kernels.ts';
import type { CudaDevice } from './list-cuda-devices.ts';

/** Streams that do not wait for the null stream (CU_STREAM_NON_BLOCKING). */
const NON_BLOCKING = 1;
/** CU_EVENT_DISABLE_TIMING: cheaper to record. */
const WITHOUT_TIMES = 2;
const MOST_PARAMETERS = 16;

/** This engine's hold on a device: one stream, in which everything happens in order. */
export interface CudaContext {
  readonly driver: CudaDriver;
  readonly device: CudaDevice;
  /**
   * One call of the driver, in this device's context, which other engines of this process may have changed meanwhile.
   * @throws LatentError for any result but success; from then on, this error for every call
   */
  readonly call: (doing: string, act: (driver: CudaDriver, stream: bigint) => number) => void;
  /** Queues a kernel. Numbers are 32-bit, addresses 64-bit. */
  readonly launch: (
    kernel: Kernel,
    blocks: number,
    parameters: readonly (number | bigint)[],
    cooperative?: boolean,
  ) => void;
  readonly allocate: (bytes: number) => bigint;
  /** A call that gives something back: never throws, and is made even after an error. */
  readonly giveBack: (act: (driver: CudaDriver) => number) => void;
  readonly freeBytes: () => number;
  /** Queues a copy; the bytes may be changed once this has returned. */
  readonly write: (to: bigint, bytes: Uint8Array) => void;
  /** What is there now: to be called when what writes it has come to its end. */
  readonly read: (from: bigint, bytes: number) => Uint8Array;
  /** Marks a place in the stream. @returns what waits for it; call it once */
  readonly mark: () => () => Promise<void>;
  /** Waits for all that is queued, then rejects if the signal is given. */
  readonly drain: (signal?: AbortSignal) => Promise<void>;
  /** Gives back the stream and the context; what was allocated or loaded has to be given back before. Never throws. */
  readonly close: () => void;
}

/** @throws LatentError DEVICE_UNAVAILABLE, DEVICE_OUT_OF_MEMORY or DEVICE_LOST */
export async function openContext(driver: CudaDriver, device: CudaDevice): Promise<CudaContext> {
  const handle = new BigUint64Array(1);
  checkCuda(driver, await driver.retainContext(handle, device.index), 'open a device');
  const [context = 0n] = handle;
  let failure: Error | undefined;
  const events: bigint[] = [];
  const made: bigint[] = [];
  let stream = 0n;

  function call(doing: string, act: (driver: CudaDriver, stream: bigint) => number): void {
    if (failure !== undefined) throw failure;
    try {
      checkCuda(driver, driver.setContext(context), 'turn to a device');
      checkCuda(driver, act(driver, stream), doing);
    } catch (error) {
      failure = toLatentError(error);
      throw failure;
    }
  }

  const values = new BigUint64Array(MOST_PARAMETERS);
  const base = driver.addressOf(values);
  const addresses = values.map((_, index) => base + BigInt(8 * index));

  function launch(kernel: Kernel, blocks: number, parameters: readonly (number | bigint)[], cooperative = false): void {
    for (const [index, value] of parameters.entries()) values[index] = BigInt(value);
    const { handle: kernelHandle, threads, sharedBytes } = kernel;
    call(`run ${kernel.name}`, (_, on) =>
      driver.launch(kernelHandle, blocks, threads, sharedBytes, on, addresses, cooperative),
    );
  }

  function mark(): () => Promise<void> {
    const event = events.pop() ?? makeEvent();
    call('record an event', (_, on) => driver.recordEvent(event, on));
    return async () => {
      await pollEvent(() => {
        let result = CUDA_SUCCESS;
        call('tell how far it is', () => {
          result = driver.queryEvent(event);
          return result === CUDA_NOT_READY ? CUDA_SUCCESS : result;
        });
        return result === CUDA_SUCCESS;
      });
      events.push(event);
    };
  }

  function makeEvent(): bigint {
    const cell = new BigUint64Array(1);
    call('make an event', () => driver.createEvent(cell, WITHOUT_TIMES));
    const [event = 0n] = cell;
    made.push(event);
    return event;
  }

  function close(): void {
    driver.setContext(context);
    for (const event of made) driver.destroyEvent(event);
    if (stream !== 0n) driver.destroyStream(stream);
    driver.releaseContext(device.index);
  }

  try {
    const cell = new BigUint64Array(1);
    call('make a stream', () => driver.createStream(cell, NON_BLOCKING));
    stream = cell[0] ?? 0n;
  } catch (error) {
    close();
    throw error;
  }
  return {
    driver,
    device,
    call,
    launch,
    allocate: (bytes) => {
      const cell = new BigUint64Array(1);
      call(`give ${bytes} bytes`, () => driver.allocate(cell, BigInt(bytes)));
      return cell[0] ?? 0n;
    },
    giveBack: (act) => {
      driver.setContext(context);
      act(driver);
    },
    freeBytes: () => {
      const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
      call('tell its free memory', () => driver.memoryInfo(free, total));
      return Number(free[0]);
    },
    write: (to, bytes) => call('take bytes', (_, on) => driver.copyToDevice(to, bytes, BigInt(bytes.length), on)),
    read: (from, bytes) => {
      const to = new Uint8Array(bytes);
      call('give back bytes', () => driver.copyToHost(to, from, BigInt(bytes)));
      return to;
    },
    mark,
    drain: async (signal) => {
      await mark()();
      if (signal?.aborted) throw toLatentError(signal.reason);
    },
    close,
  };
}

/** Part of the last wait's time that the next one sleeps through before it looks again and again. */
const SLEPT = 0.7;
const LEAST_SLEEP_MS = 3;
let lastWaitMs = 0;

/**
 * Lets the event loop go on until `come`. Nearly all waits of a pass are alike: most of the time is slept, and only the end is looked
 * for closely, as a pass of some 30 ms would be a good part longer if every wait ended a timer's tick too late.
 */
async function pollEvent(come: () => boolean): Promise<void> {
  const start = performance.now();
  if (come()) return;
  const sleepMs = Math.floor(lastWaitMs * SLEPT);
  if (sleepMs >= LEAST_SLEEP_MS) await setTimeout(sleepMs);
  while (!come()) await setImmediate();
  lastWaitMs = Math.min(performance.now() - start, lastWaitMs * 1.25 + LEAST_SLEEP_MS);
}
