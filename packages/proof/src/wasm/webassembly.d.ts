// What the kernels use of the WebAssembly interface, which Node and browsers both have, and which neither the types of
// Node nor those of the language hold.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }

  class Memory {
    readonly buffer: ArrayBuffer;
    /** @throws RangeError if the pages, 64 KiB each, cannot be had */
    grow(pages: number): number;
  }

  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }

  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>;
  function instantiate(module: Module): Promise<Instance>;
}
