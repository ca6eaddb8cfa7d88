import type { Parameters } from '../../spec/parameters.ts';
import { instantiateKernel, type KernelExports } from '../../wasm/kernel-instance.ts';
import { type Layout, layOut, memoryBytes, type Share } from './layout.ts';

const PAGE_BYTES = 65_536;

/** A memory with the kernels that work on it, and a view of all of it. */
export interface Bank {
  readonly kernel: KernelExports;
  readonly bytes: Uint8Array;
}

/** One worker's share of all layers. */
export interface Weights {
  readonly parameters: Parameters;
  readonly share: Share;
  readonly layout: Layout;
  /** One is enough up to 4 GiB. */
  readonly banks: readonly [Bank, ...Bank[]];
}

/**
 * @param mostBytes of one memory; less than there can be only in tests
 * @throws RangeError if the memory cannot be had
 */
export async function takeMemory(
  module: WebAssembly.Module,
  parameters: Parameters,
  layers: number,
  share: Share,
  mostBytes?: number,
): Promise<Weights> {
  const kernel = await instantiateKernel(module);
  const layout = layOut(parameters, share, layers, kernel.heapBase(), mostBytes);
  const banks: [Bank, ...Bank[]] = [grow(kernel, memoryBytes(layout, layers, 0))];
  for (let index = 1; index * layout.layersEach < layers; index++) {
    banks.push(grow(await instantiateKernel(module), memoryBytes(layout, layers, index)));
  }
  return { parameters, share, layout, banks };
}

function grow(kernel: KernelExports, bytes: number): Bank {
  const pages = Math.ceil((bytes - kernel.memory.buffer.byteLength) / PAGE_BYTES);
  if (pages > 0) kernel.memory.grow(pages);
  return { kernel, bytes: new Uint8Array(kernel.memory.buffer) };
}

/** The memory that holds a layer, and where in it the layer begins. */
export function findLayer({ banks, layout }: Weights, layer: number): { readonly bank: Bank; readonly at: number } {
  const index = Math.floor(layer / layout.layersEach);
  const bank = banks[index];
  if (bank === undefined) throw new RangeError(`layer ${layer} of ${banks.length * layout.layersEach}`);
  return { bank, at: layout.weights + (layer - index * layout.layersEach) * layout.layerBytes };
}

/** Derives this worker's share of a layer. */
export function fillLayer(weights: Weights, session: Uint8Array, layer: number): void {
  const { parameters, share, layout } = weights;
  const { width, gates, links } = parameters;
  const { bank, at } = findLayer(weights, layer);
  bank.bytes.set(session, layout.seed);
  bank.kernel.fillUnits(layout.seed, layer, width, gates, links, share.firstUnit, share.units, at);
}
