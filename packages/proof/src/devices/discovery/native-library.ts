import type { LibraryHandle } from 'koffi';
import type { LoadedLibrary, NativeFunction, NativeLibrary } from './discovery-system.ts';

/** What the dynamic linkers of Linux, macOS and Windows say when there is no such file. */
const MISSING =
  /no such file|cannot open shared object|image not found|cannot find the (file|module)|could not be found/i;

/** Loads the first of the libraries that is there. koffi itself is loaded here and not before: nothing else needs its addon. */
export async function loadLibrary(names: readonly string[]): Promise<LoadedLibrary> {
  let load: (name: string) => LibraryHandle;
  try {
    ({ load } = await import('koffi'));
  } catch (error) {
    return { kind: 'broken', reason: `koffi does not load: ${reasonOf(error)}` };
  }
  const reasons: string[] = [];
  for (const name of names) {
    try {
      return { kind: 'loaded', library: wrap(name, load(name)) };
    } catch (error) {
      const reason = reasonOf(error);
      if (!MISSING.test(reason)) return { kind: 'broken', reason: `${name}: ${reason}` };
      reasons.push(name);
    }
  }
  return { kind: 'missing', reason: `no ${reasons.join(', ')}` };
}

function wrap(path: string, handle: LibraryHandle): NativeLibrary {
  return {
    path,
    find: (prototype) => {
      try {
        const native = handle.func(prototype);
        const call: NativeFunction = (...values) =>
          new Promise((resolve, reject) => {
            native.async(...values, (error: unknown, result: unknown) => {
              if (error !== null && error !== undefined) reject(error);
              else resolve(Number(result));
            });
          });
        return call;
      } catch {
        return undefined;
      }
    },
  };
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
