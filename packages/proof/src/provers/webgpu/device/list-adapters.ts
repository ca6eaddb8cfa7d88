import { isSoftware } from './describe-adapter.ts';
import { loadDawn } from './load-dawn.ts';

/** A device that WebGPU offers. Two identical devices have the same name, and cannot be told apart by it. */
export interface WebGpuAdapter {
  /** What `adapter` of the engine's options is looked for in. */
  readonly name: string;
  /** `vulkan`, `metal`, `d3d12`, … */
  readonly backend: string;
  /** As the driver tells it, mostly in lower case; empty if it does not. */
  readonly vendor: string;
  readonly architecture: string;
  /** Whether a CPU only pretends to be a GPU here. */
  readonly software: boolean;
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
    const named = adaptersIn(error instanceof Error ? error.message : '');
    return Promise.all(named.map((adapter) => describe(create, adapter)));
  }
}

/** A device that is named and cannot be had keeps its name, and the rest of it unknown. */
async function describe(create: Create, { name, backend }: NamedAdapter): Promise<WebGpuAdapter> {
  const info = (await create([`adapter=${name}`]).requestAdapter())?.info;
  const { vendor = '', architecture = '' } = info ?? {};
  return { name, backend, vendor, architecture, software: info === undefined ? false : isSoftware(info) };
}

type Create = Awaited<ReturnType<typeof loadDawn>>['create'];
type NamedAdapter = Pick<WebGpuAdapter, 'name' | 'backend'>;

/** @param message ` * backend: 'vulkan', name: 'A device'` in each of its lines that names one */
export function adaptersIn(message: string): readonly NamedAdapter[] {
  return [...message.matchAll(/^ \* backend: '([^']*)', name: '(.*)'$/gm)].map(([, backend = '', name = '']) => ({
    name,
    backend,
  }));
}
