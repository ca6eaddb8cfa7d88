import type { Kernel } from '../kernel.ts';
import { HASH_BYTES } from '../spec/bytes.ts';
import { rowBytes } from '../spec/parameters.ts';
import { compileKernel } from './compile-kernel.ts';
import { instantiateKernel, type KernelExports } from './kernel-instance.ts';

const RATE = 136;
/** Blocks that are handed over at a time. */
const WINDOW_BLOCKS = 400;

/**
 * The kernel in WASM, for Node and browsers: the same bytes as plain TypeScript, and some 30 times as fast at deriving weights
 * (`bench/proof-kernels.ts`). Compiled once; each call gives an instance of its own.
 */
export async function loadKernel(): Promise<Kernel> {
  const kernel = await instantiateKernel(await compileKernel());
  const window = kernel.heapBase();
  const memory = new Uint8Array(kernel.memory.buffer);
  return {
    hash: (bytes) => hash(kernel, memory, window, bytes),
    accumulate: (parameters, session, layer, output, packed) => {
      const { width, gates, links } = parameters;
      if (session.length !== HASH_BYTES) throw new RangeError(`a session of ${session.length} bytes`);
      if (packed.length !== rowBytes(parameters)) throw new RangeError(`a row of ${packed.length} bytes`);
      const row = window + HASH_BYTES;
      const sums = row + packed.length;
      memory.set(session, window);
      memory.set(packed, row);
      kernel.accumulate(window, row, width, gates, links, layer, output, sums);
      return new Int32Array(memory.slice(sums, sums + gates * Int32Array.BYTES_PER_ELEMENT).buffer);
    },
  };
}

function hash(kernel: KernelExports, memory: Uint8Array, window: number, bytes: Uint8Array): Uint8Array {
  const blocks = Math.floor(bytes.length / RATE);
  kernel.begin();
  for (let block = 0; block < blocks; block += WINDOW_BLOCKS) {
    const count = Math.min(WINDOW_BLOCKS, blocks - block);
    memory.set(bytes.subarray(block * RATE, (block + count) * RATE), window);
    kernel.absorb(window, count);
  }
  memory.set(bytes.subarray(blocks * RATE), window);
  kernel.finish(window, bytes.length - blocks * RATE, window);
  return memory.slice(window, window + HASH_BYTES);
}
