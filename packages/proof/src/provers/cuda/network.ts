import { layerBytes, type Parameters } from '../../spec/parameters.ts';
import type { FillRequest } from '../engine.ts';
import type { CudaContext } from './context.ts';
import type { Kernels } from './kernels.ts';
import { startPace } from './pace.ts';
import { isTiled, placeWorkingMemory, type WorkingMemory, workingBytes } from './working-memory.ts';

/** Weights lie in allocations of about this size: many enough that none has to be large, few enough to be quick. */
const SLAB_BYTES = 2 ** 30;

/** What lies in the device's memory. */
export interface Network {
  readonly parameters: Parameters;
  readonly layers: number;
  /** 1 if for the fast kernels, else 0, as kernels take it. */
  readonly tiled: 0 | 1;
  readonly work: WorkingMemory;
  /** Bytes that `release` gives back. */
  readonly bytes: number;
  /** Where a layer's weights are. */
  readonly layerAt: (layer: number) => bigint;
  /** Never throws. */
  readonly release: () => void;
}

/** @throws LatentError DEVICE_OUT_OF_MEMORY, and holds nothing then */
export function allocateNetwork(context: CudaContext, parameters: Parameters, layers: number): Network {
  const bytesOfLayer = layerBytes(parameters);
  const layersPerSlab = Math.max(1, Math.floor(SLAB_BYTES / bytesOfLayer));
  const slabs: bigint[] = [];
  const held: bigint[] = [];
  const release = () => {
    for (const address of held.splice(0)) context.giveBack((driver) => driver.free(address));
  };
  const take = (bytes: number) => {
    const address = context.allocate(bytes);
    held.push(address);
    return address;
  };
  try {
    const work = placeWorkingMemory(parameters, layers, take(workingBytes(parameters, layers)));
    for (let first = 0; first < layers; first += layersPerSlab)
      slabs.push(take(Math.min(layersPerSlab, layers - first) * bytesOfLayer));
    const layerAt = (layer: number) =>
      (slabs[Math.floor(layer / layersPerSlab)] ?? 0n) + BigInt((layer % layersPerSlab) * bytesOfLayer);
    const addresses = BigUint64Array.from({ length: layers }, (_, layer) => layerAt(layer));
    context.write(work.layerAddresses, new Uint8Array(addresses.buffer));
    return {
      parameters,
      layers,
      tiled: isTiled(parameters) ? 1 : 0,
      work,
      bytes: workingBytes(parameters, layers) + layers * bytesOfLayer,
      layerAt,
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Derives the weights of all layers. */
export async function fillWeights(
  context: CudaContext,
  kernels: Kernels,
  network: Network,
  { sessionId, signal, onProgress }: FillRequest,
): Promise<void> {
  const { width, gates, links } = network.parameters;
  const kernel = kernels.of('fill_weights');
  const blocks = Math.ceil(layerBytes(network.parameters) / 32 / kernel.threads);
  const session = new BigUint64Array(sessionId.slice().buffer);
  const pace = startPace(context, signal, onProgress);
  for (let layer = 0; layer < network.layers; layer++) {
    const place = network.layerAt(layer);
    context.launch(kernel, blocks, [place, ...session, layer, width, gates, links, network.tiled]);
    await pace.step();
  }
  await pace.end();
}
