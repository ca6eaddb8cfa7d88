/**
 * What `kernels/wasm/index.ts` exports. Addresses and lengths are bytes in the instance's memory; nothing is checked there.
 * An address of 2³¹ or more may be given as it is. A *unit* is one byte of a packed row: two outputs with all their gates.
 */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  /** First byte of memory that the kernels do not use themselves. */
  readonly heapBase: () => number;
  /** Begins a message of any length to be hashed. */
  readonly begin: () => void;
  /** Takes blocks of 136 bytes of it. */
  readonly absorb: (from: number, blocks: number) => void;
  /** Takes the rest, at most 135 bytes, and writes the digest's 32 bytes. */
  readonly finish: (from: number, length: number, to: number) => void;
  /** Sums of all gates for one output, `gates` i32. */
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
  /** Derives the weights of units of a layer, `2·gates·width` bytes each. */
  readonly fillUnits: (
    session: number,
    layer: number,
    width: number,
    gates: number,
    links: number,
    firstUnit: number,
    units: number,
    to: number,
  ) => void;
  /** Writes a row's input, packed. @returns its key, as i32 */
  readonly drawRow: (seed: number, row: number, width: number, to: number) => number;
  /** Unpacks rows for `multiplyUnits`: `2·rows·width` bytes. */
  readonly unpackRows: (packed: number, rows: number, width: number, to: number) => void;
  /**
   * One step of at most 128 rows through units of a layer.
   * @param keys u32 for each row, and room for as many more as make a multiple of four
   * @param to a byte for each unit of the first row, then of the second, and so on
   */
  readonly multiplyUnits: (
    values: number,
    keys: number,
    rows: number,
    width: number,
    gates: number,
    layer: number,
    firstUnit: number,
    units: number,
    weights: number,
    to: number,
  ) => void;
  /** Digest of one packed row, 32 bytes. */
  readonly digestRow: (packed: number, width: number, to: number) => void;
  /** Tree over `leaves` digests, in place, with room for one more behind them: the root is then where the first leaf was. */
  readonly treeRoot: (nodes: number, leaves: number) => void;
}

const functions = [
  ...(['heapBase', 'begin', 'absorb', 'finish', 'accumulate', 'fillUnits'] as const),
  ...(['drawRow', 'unpackRows', 'multiplyUnits', 'digestRow', 'treeRoot'] as const),
] satisfies readonly Exclude<keyof KernelExports, 'memory'>[];

/** Most rows that `multiplyUnits` takes at a time. */
export const MOST_ROWS = 128;

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
