import { loadDawn } from './load-dawn.ts';

/** A device that WebGPU offers. Two identical devices have the same name, and cannot be told apart by it. */
export interface WebGpuAdapter {
  /** What `adapter` of the engine's options is looked for in. */
  readonly name: string;
  /** `vulkan`, `metal`, `d3d12`, … */
  readonly backend: string;
}

/** No device has this in its name. */
const NOBODY = 'latent:no-such-device';

/**
 * WebGPU itself has no list of adapters; the library names them all when it is asked for one that is not there.
 * @throws LatentError `DEVICE_UNAVAILABLE` if the library cannot be loaded
 */
export async function listAdapters(): Promise<readonly WebGpuAdapter[]> {
  const { create } = await loadDawn();
  const gpu = create([`adapter=${NOBODY}`]);
  try {
    // Resolves with null if there is no driver at all.
    await gpu.requestAdapter();
    return [];
  } catch (error) {
    return adaptersIn(error instanceof Error ? error.message : '');
  }
}

/** @param message ` * backend: 'vulkan', name: 'A device'` in each of its lines that names one */
export function adaptersIn(message: string): readonly WebGpuAdapter[] {
  return [...message.matchAll(/^ \* backend: '([^']*)', name: '(.*)'$/gm)].map(([, backend = '', name = '']) => ({
    name,
    backend,
  }));
}
