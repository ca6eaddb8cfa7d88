import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { LatentError } from '@latent/protocol';
import type { CudaContext } from './context.ts';
import { cudaFailure } from './cuda-failure.ts';
import type { CudaDevice } from './list-cuda-devices.ts';

const KIB = 1024;

/** What is in the modules of `kernels/cuda/ptx`: threads of a block and bytes of shared memory, as the sources have them. */
const modules = {
  hashing: {
    fill_weights: [128, 0],
    make_inputs: [128, 0],
    digest_chunks: [128, 0],
    digest_states: [128, 0],
    frontier_roots: [128, 0],
    fold_rows: [256, 0],
    export_rows: [128, 0],
  },
  plain: { plain_step: [128, 0] },
  step: { tiled_step: [256, 96 * KIB] },
  bandwidth: {
    bandwidth_steps_4: [256, 98 * KIB],
    bandwidth_steps_8: [256, 162 * KIB],
    bandwidth_steps_12: [256, 226 * KIB],
  },
  hopper: { hopper_step: [384, 193 * KIB + 64] },
} as const satisfies Record<string, Record<string, readonly [threads: number, sharedBytes: number]>>;

type ModuleName = keyof typeof modules;
type NamesIn<Module> = Module extends ModuleName ? keyof (typeof modules)[Module] : never;
export type KernelName = NamesIn<ModuleName>;

export interface Kernel {
  readonly name: string;
  readonly handle: bigint;
  readonly threads: number;
  readonly sharedBytes: number;
}

export interface Kernels {
  /** @throws LatentError INTERNAL if it was not loaded for this device */
  readonly of: (name: KernelName) => Kernel;
  readonly has: (name: KernelName) => boolean;
  /** Never throws. */
  readonly unload: () => void;
}

/** More than a block gets without asking (CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES). */
const ASKED_SHARED = { attribute: 8, aboveBytes: 48 * KIB } as const;

/**
 * Loads what the device can run; its driver compiles it, and keeps that for the next time.
 * @throws LatentError DEVICE_UNAVAILABLE, with the driver's own words, if it does not compile
 */
export async function loadKernels(context: CudaContext): Promise<Kernels> {
  const loaded: bigint[] = [];
  const kernels = new Map<string, Kernel>();
  const unload = () => {
    for (const module of loaded.splice(0)) context.giveBack((driver) => driver.unloadModule(module));
  };
  try {
    for (const [name, entries] of Object.entries(modules)) {
      if (name === 'hopper' && !isHopper(context.device)) continue;
      await setImmediate();
      const module = loadModule(context, name, await readPtx(name));
      loaded.push(module);
      for (const [entry, [threads, sharedBytes]] of Object.entries(entries)) {
        if (sharedBytes > context.device.sharedBytes) continue;
        kernels.set(entry, {
          name: entry,
          handle: getKernel(context, module, entry, sharedBytes),
          threads,
          sharedBytes,
        });
      }
    }
  } catch (error) {
    unload();
    throw error;
  }
  return {
    of: (name) => {
      const kernel = kernels.get(name);
      if (kernel === undefined) throw new LatentError('INTERNAL', `The kernel ${name} is not for this device.`);
      return kernel;
    },
    has: (name) => kernels.has(name),
    unload,
  };
}

/** Its instructions for whole warpgroups are in compute capability 9.0 alone, not in later ones. */
export function isHopper({ capability: [major, minor] }: CudaDevice): boolean {
  return major === 9 && minor === 0;
}

async function readPtx(name: string): Promise<string> {
  return readFile(new URL(`../../../kernels/cuda/ptx/${name}.ptx`, import.meta.url), 'utf8');
}

const LOG_BYTES = 8192;
/** CUjit_option: a buffer for the compiler's errors, and its size. */
const LOG_OPTIONS = new Int32Array([5, 6]);

function loadModule({ call, driver }: CudaContext, name: string, ptx: string): bigint {
  const cell = new BigUint64Array(1);
  const log = Buffer.alloc(LOG_BYTES);
  const values = new BigUint64Array([driver.addressOf(log), BigInt(LOG_BYTES)]);
  const text = Buffer.from(`${ptx}\0`, 'latin1');
  call(`compile the ${name} kernels`, () => {
    const result = driver.loadModule(cell, text, LOG_OPTIONS.length, LOG_OPTIONS, values);
    const said = log.toString('latin1', 0, Math.max(0, log.indexOf(0))).trim();
    if (result !== 0 && said !== '') throw withLog(cudaFailure(driver, result, `compile the ${name} kernels`), said);
    return result;
  });
  return cell[0] ?? 0n;
}

function withLog(error: LatentError, log: string): LatentError {
  const { code, message, hint, details } = error;
  return new LatentError(code, message, { ...(hint === undefined ? {} : { hint }), details: { ...details, log } });
}

function getKernel({ call, driver }: CudaContext, module: bigint, name: string, sharedBytes: number): bigint {
  const cell = new BigUint64Array(1);
  call(`find the kernel ${name}`, () => driver.getFunction(cell, module, name));
  const [handle = 0n] = cell;
  if (sharedBytes > ASKED_SHARED.aboveBytes) {
    call(`give ${name} its shared memory`, () =>
      driver.setFunctionAttribute(handle, ASKED_SHARED.attribute, sharedBytes),
    );
  }
  return handle;
}
