import { kernelBase64 } from './kernel.gen.ts';

let compiling: Promise<WebAssembly.Module> | undefined;

/** The kernels' module, compiled at the first call. It may be sent to worker threads. */
export function compileKernel(): Promise<WebAssembly.Module> {
  compiling ??= WebAssembly.compile(Uint8Array.from(atob(kernelBase64), (character) => character.charCodeAt(0)));
  return compiling;
}
