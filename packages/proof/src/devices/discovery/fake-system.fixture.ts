import type { DiscoverySystem, FileView, LoadedLibrary, NativeArgument, NativeLibrary } from './discovery-system.ts';

/** A machine that has nothing but a processor; tests add what they are about. */
export function fakeSystem(parts: Partial<DiscoverySystem> = {}): DiscoverySystem {
  return {
    platform: 'linux',
    files: fakeFiles({}),
    loadLibrary: async (names) => ({ kind: 'missing', reason: `no ${names.join(', ')}` }),
    runCommand: async (command) => Promise.reject(new Error(`${command}: not there`)),
    processor: () => ({
      model: 'AMD EPYC 9354 32-Core Processor',
      threads: 64,
      memoryBytes: 2 ** 38,
      architecture: 'x64',
    }),
    ...parts,
  };
}

/** Files by path; folders follow from them. A link is its target's path after `-> `. */
export function fakeFiles(contents: Readonly<Record<string, string>>): FileView {
  const paths = Object.keys(contents);
  return {
    readText: async (path) => contents[path]?.trim(),
    list: async (path) => {
      const below = paths.filter((one) => one.startsWith(`${path}/`)).map((one) => one.slice(path.length + 1));
      return below.length === 0 ? undefined : [...new Set(below.map((one) => one.split('/')[0] ?? ''))];
    },
    linkTarget: async (path) => contents[path]?.replace(/^-> .*\//, ''),
    exists: async (path) => paths.some((one) => one === path || one.startsWith(`${path}/`)),
  };
}

type FakeFunction = (...values: readonly NativeArgument[]) => number;

/** A library whose functions are given by name. */
export function fakeLibrary(path: string, functions: Readonly<Record<string, FakeFunction>>): NativeLibrary {
  return {
    path,
    find: (prototype) => {
      const call = functions[/(\w+)\(/.exec(prototype)?.[1] ?? ''];
      return call === undefined ? undefined : async (...values) => call(...values);
    },
  };
}

/** A linker that finds these libraries by name, in the order in which they are asked for. */
export function fakeLinker(...libraries: readonly NativeLibrary[]): DiscoverySystem['loadLibrary'] {
  return async (names): Promise<LoadedLibrary> => {
    const library = names.map((name) => libraries.find(({ path }) => path === name)).find((one) => one !== undefined);
    return library === undefined ? { kind: 'missing', reason: `no ${names.join(', ')}` } : { kind: 'loaded', library };
  };
}

/** Writes text and its NUL where a C function would. */
export function writeText(target: NativeArgument | undefined, text: string): number {
  if (!(target instanceof Uint8Array)) return 2;
  target.set(Buffer.from(`${text}\0`, 'latin1').subarray(0, target.length));
  return 0;
}

/** Writes little-endian numbers of 32 bits, the low one first. */
export function writeUint32(target: NativeArgument | undefined, ...values: readonly number[]): number {
  if (!(target instanceof Uint8Array)) return 2;
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  values.forEach((value, index) => {
    view.setUint32(index * 4, value, true);
  });
  return 0;
}

/** Writes a little-endian number of 64 bits. */
export function writeUint64(target: NativeArgument | undefined, value: bigint): number {
  if (!(target instanceof Uint8Array)) return 2;
  new DataView(target.buffer, target.byteOffset, target.byteLength).setBigUint64(0, value, true);
  return 0;
}
