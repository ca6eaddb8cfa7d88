import { LatentError } from '@latent/protocol';
import type { LibraryHandle } from 'koffi';

/** Memory that a call reads or writes in place. */
type Cells = Int32Array | BigUint64Array | Uint8Array;

/**
 * The entry points of NVIDIA's driver library that the engine uses, and nothing else of CUDA: no toolkit has to be there.
 * Each returns a CUresult, 0 for success. Handles and addresses are 64-bit numbers. Source: CUDA Driver API reference.
 */
export interface CudaDriver {
  /** What was loaded. */
  readonly path: string;
  readonly init: () => Promise<number>;
  readonly driverVersion: (version: Int32Array) => number;
  readonly errorName: (result: number, text: BigUint64Array) => number;
  readonly errorString: (result: number, text: BigUint64Array) => number;
  readonly deviceCount: (count: Int32Array) => number;
  readonly deviceGet: (device: Int32Array, index: number) => number;
  readonly deviceName: (text: Uint8Array, length: number, device: number) => number;
  readonly deviceUuid: (uuid: Uint8Array, device: number) => number;
  readonly deviceMemory: (bytes: BigUint64Array, device: number) => number;
  readonly devicePciId: (text: Uint8Array, length: number, device: number) => number;
  readonly deviceAttribute: (value: Int32Array, attribute: number, device: number) => number;
  readonly retainContext: (context: BigUint64Array, device: number) => Promise<number>;
  readonly releaseContext: (device: number) => number;
  readonly setContext: (context: bigint) => number;
  readonly loadModule: (
    module: BigUint64Array,
    ptx: Uint8Array,
    options: number,
    names: Int32Array,
    values: BigUint64Array,
  ) => number;
  readonly unloadModule: (module: bigint) => number;
  readonly getFunction: (kernel: BigUint64Array, module: bigint, name: string) => number;
  readonly setFunctionAttribute: (kernel: bigint, attribute: number, value: number) => number;
  readonly allocate: (address: BigUint64Array, bytes: bigint) => number;
  readonly free: (address: bigint) => number;
  readonly memoryInfo: (free: BigUint64Array, total: BigUint64Array) => number;
  readonly copyToHost: (to: Uint8Array, from: bigint, bytes: bigint) => number;
  readonly copyToDevice: (to: bigint, from: Uint8Array, bytes: bigint, stream: bigint) => number;
  readonly setWords: (to: bigint, value: number, count: bigint, stream: bigint) => number;
  readonly createStream: (stream: BigUint64Array, flags: number) => number;
  readonly destroyStream: (stream: bigint) => number;
  readonly createEvent: (event: BigUint64Array, flags: number) => number;
  readonly destroyEvent: (event: bigint) => number;
  readonly recordEvent: (event: bigint, stream: bigint) => number;
  readonly queryEvent: (event: bigint) => number;
  readonly elapsedMs: (ms: Float32Array, from: bigint, to: bigint) => number;
  /** `parameters`: addresses of the parameters' addresses. Blocks and threads are in one dimension. */
  readonly launch: (
    kernel: bigint,
    blocks: number,
    threads: number,
    sharedBytes: number,
    stream: bigint,
    parameters: BigUint64Array,
    cooperative: boolean,
  ) => number;
  /** A text that a call returned the address of. */
  readonly text: (address: bigint) => string;
  /** Where a cell lies, for parameters. It must live as long as the call. */
  readonly addressOf: (cells: Cells) => bigint;
}

/** Where the driver's library is, by platform; containers and WSL have it in places of their own. */
const CUDA_LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: [
    'libcuda.so.1',
    '/usr/lib/wsl/lib/libcuda.so.1',
    '/usr/local/nvidia/lib64/libcuda.so.1',
    '/run/opengl-driver/lib/libcuda.so.1',
  ],
  win32: ['nvcuda.dll'],
};

/**
 * Loads NVIDIA's driver library, and koffi with it, which nothing else here needs.
 * @param libraries names or paths, tried in this order
 * @throws LatentError DEVICE_UNAVAILABLE if none of them loads, or it lacks an entry point
 */
export async function loadCudaDriver(
  libraries: readonly string[] = CUDA_LIBRARIES[process.platform] ?? [],
): Promise<CudaDriver> {
  const koffi = await import('koffi').catch((cause: unknown) => {
    throw unavailable('koffi does not load', cause);
  });
  const reasons: unknown[] = [];
  for (const path of libraries) {
    let library: LibraryHandle;
    try {
      library = koffi.load(path);
    } catch (reason) {
      reasons.push(reason);
      continue;
    }
    try {
      return bind(path, library, koffi.address, (address) => koffi.decode.string(address));
    } catch (cause) {
      throw unavailable(`${path} lacks an entry point that is needed`, cause);
    }
  }
  throw unavailable(
    libraries.length === 0 ? `there is no CUDA for ${process.platform}` : `no ${libraries.join(', ')}`,
    reasons[0],
  );
}

function unavailable(reason: string, cause: unknown): LatentError {
  return new LatentError('DEVICE_UNAVAILABLE', `NVIDIA's driver cannot be used: ${reason}.`, {
    hint: "Install NVIDIA's driver (version 450 or later); in a container, lend it the GPU and its driver's libraries.",
    cause,
  });
}

function bind(
  path: string,
  library: LibraryHandle,
  addressOf: (cells: Cells) => bigint,
  text: (address: bigint) => string,
): CudaDriver {
  const bound = (prototype: string) => library.func(prototype);
  const launchKernel = bound(
    `int cuLaunchKernel(uint64_t, ${'uint32_t, '.repeat(7)}uint64_t stream, void *parameters, void *extra)`,
  );
  const launchCooperative = bound(
    `int cuLaunchCooperativeKernel(uint64_t, ${'uint32_t, '.repeat(7)}uint64_t stream, void *parameters)`,
  );
  const init = bound('int cuInit(uint32_t)');
  const retain = bound('int cuDevicePrimaryCtxRetain(void *, int)');
  return {
    path,
    init: () => apart((done) => init.async(0, done)),
    driverVersion: bound('int cuDriverGetVersion(void *)'),
    errorName: bound('int cuGetErrorName(int, void *)'),
    errorString: bound('int cuGetErrorString(int, void *)'),
    deviceCount: bound('int cuDeviceGetCount(void *)'),
    deviceGet: bound('int cuDeviceGet(void *, int)'),
    deviceName: bound('int cuDeviceGetName(void *, int, int)'),
    deviceUuid: newest(library, ['int cuDeviceGetUuid_v2(void *, int)', 'int cuDeviceGetUuid(void *, int)']),
    deviceMemory: bound('int cuDeviceTotalMem_v2(void *, int)'),
    devicePciId: bound('int cuDeviceGetPCIBusId(void *, int, int)'),
    deviceAttribute: bound('int cuDeviceGetAttribute(void *, int, int)'),
    retainContext: (context, device) => apart((done) => retain.async(context, device, done)),
    releaseContext: newest(library, ['int cuDevicePrimaryCtxRelease_v2(int)', 'int cuDevicePrimaryCtxRelease(int)']),
    setContext: bound('int cuCtxSetCurrent(uint64_t)'),
    loadModule: bound('int cuModuleLoadDataEx(void *, void *, uint32_t, void *, void *)'),
    unloadModule: bound('int cuModuleUnload(uint64_t)'),
    getFunction: bound('int cuModuleGetFunction(void *, uint64_t, const char *)'),
    setFunctionAttribute: bound('int cuFuncSetAttribute(uint64_t, int, int)'),
    allocate: bound('int cuMemAlloc_v2(void *, size_t)'),
    free: bound('int cuMemFree_v2(uint64_t)'),
    memoryInfo: bound('int cuMemGetInfo_v2(void *, void *)'),
    copyToHost: bound('int cuMemcpyDtoH_v2(void *, uint64_t, size_t)'),
    copyToDevice: bound('int cuMemcpyHtoDAsync_v2(uint64_t, void *, size_t, uint64_t)'),
    setWords: bound('int cuMemsetD32Async(uint64_t, uint32_t, size_t, uint64_t)'),
    createStream: bound('int cuStreamCreate(void *, uint32_t)'),
    destroyStream: bound('int cuStreamDestroy_v2(uint64_t)'),
    createEvent: bound('int cuEventCreate(void *, uint32_t)'),
    destroyEvent: bound('int cuEventDestroy_v2(uint64_t)'),
    recordEvent: bound('int cuEventRecord(uint64_t, uint64_t)'),
    queryEvent: bound('int cuEventQuery(uint64_t)'),
    elapsedMs: bound('int cuEventElapsedTime(void *, uint64_t, uint64_t)'),
    launch: (kernel, blocks, threads, sharedBytes, stream, parameters, cooperative) =>
      cooperative
        ? launchCooperative(kernel, blocks, 1, 1, threads, 1, 1, sharedBytes, stream, parameters)
        : launchKernel(kernel, blocks, 1, 1, threads, 1, 1, sharedBytes, stream, parameters, null),
    text,
    addressOf,
  };
}

/** The first of these that the library has. */
function newest(library: LibraryHandle, prototypes: readonly [string, string]): ReturnType<LibraryHandle['func']> {
  try {
    return library.func(prototypes[0]);
  } catch {
    return library.func(prototypes[1]);
  }
}

/** A call in a thread of its own, for those that take long and need no context. */
function apart(start: (done: (error: unknown, result: number) => void) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null || error === undefined) resolve(result);
      else reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}
