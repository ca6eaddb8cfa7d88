import { type ErrorCode, LatentError } from '@latent/protocol';
import type { CudaDriver } from './driver.ts';

export const CUDA_SUCCESS = 0;
export const CUDA_NOT_READY = 600;

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

const refuses = (hint: string): Meaning => ({ code: 'DEVICE_UNAVAILABLE', hint });

const UPDATE = "Update NVIDIA's driver: it is older than the GPU, or than what the kernels need.";
const PERMIT = 'See that the driver is loaded and this process may use the GPU (nvidia-smi shows both).';

/** Results that are not simply the device's end. Source: CUDA Driver API reference, "CUresult". */
const meanings: Readonly<Record<number, Meaning>> = {
  2: { code: 'DEVICE_OUT_OF_MEMORY', hint: 'End what else uses the GPU, or fill fewer layers.' },
  3: refuses(PERMIT),
  34: refuses('The library is a stub of the CUDA toolkit: load that of the driver.'),
  46: refuses('The GPU is taken exclusively by another process, or not available.'),
  100: refuses(PERMIT),
  101: { code: 'DEVICE_UNKNOWN', hint: 'Look which devices there are.' },
  200: refuses(UPDATE),
  209: refuses(UPDATE),
  218: refuses(UPDATE),
  222: refuses(UPDATE),
  802: refuses('The GPU is still being set up: wait for its fabric manager.'),
  803: refuses('The driver and its library are of different versions: restart the machine, or the container.'),
  804: refuses(UPDATE),
};

const LOST: Meaning = {
  code: 'DEVICE_LOST',
  hint: "Restart this process. If it comes again, look for 'Xid' in the machine's kernel log.",
};

/** What a CUresult that is no success means here. */
export function cudaFailure(driver: CudaDriver, result: number, doing: string): LatentError {
  const { code, hint } = meanings[result] ?? LOST;
  const name = describe(driver, result, driver.errorName) ?? `CUDA error ${result}`;
  const text = describe(driver, result, driver.errorString) ?? '';
  return new LatentError(code, `The GPU's driver answered ${name} when it was to ${doing}.`, {
    hint,
    details: { result, name, text, doing },
  });
}

/** @throws LatentError if the result is not success */
export function checkCuda(driver: CudaDriver, result: number, doing: string): void {
  if (result !== CUDA_SUCCESS) throw cudaFailure(driver, result, doing);
}

function describe(driver: CudaDriver, result: number, ask: CudaDriver['errorName']): string | undefined {
  const address = new BigUint64Array(1);
  if (ask(result, address) !== CUDA_SUCCESS) return undefined;
  const [pointer = 0n] = address;
  return pointer === 0n ? undefined : driver.text(pointer);
}
