/**
 * What `kernels/wasm/index.ts` exports. Addresses and lengths are bytes in the instance's memory; nothing is checked there.
 * An address of 2³¹ or more may be given as it is.
 */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  /** First byte of memory that the kernels do not use themselves. */
  readonly heapBase: () => number;
  readonly begin: () => void;
  readonly absorb: (from: number, blocks: number) => void;
  readonly finish: (from: number, length: number, to: number) => void;
  readonly accumulate: (
    session: number,
    packed: number,
    width: number,
    gates: number,
    links: number,
    layer: number,
    output: number,
    to: number,
  ) => void;
}

const functions = ['heapBase', 'begin', 'absorb', 'finish', 'accumulate'] as const satisfies readonly Exclude<
  keyof KernelExports,
  'memory'
>[];

/**
 * A fresh instance with a memory of its own, 128 KiB at first.
 * @throws RangeError if no memory can be had
 */
export async function instantiateKernel(module: WebAssembly.Module): Promise<KernelExports> {
  const { exports } = await WebAssembly.instantiate(module);
  if (!isKernel(exports)) throw new TypeError('the module is not that of the proof kernels');
  return exports;
}

function isKernel(exports: object): exports is KernelExports {
  const found = new Map<string, unknown>(Object.entries(exports));
  return (
    found.get('memory') instanceof WebAssembly.Memory &&
    functions.every((name) => typeof found.get(name) === 'function')
  );
}
