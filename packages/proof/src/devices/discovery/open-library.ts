import type { SourceReport } from './device.ts';
import type { DiscoverySystem, NativeLibrary } from './discovery-system.ts';
import { hasNvidiaKernelModule, WITHOUT_MODULE } from './nvidia-kernel-module.ts';
import { notMeasured, notThere } from './reports.ts';

/** Names or paths of one library, by platform, in the order in which they are tried. */
export type LibraryNames = Readonly<Record<string, readonly string[]>>;

/** The library, or why the source has nothing to say. */
export type OpenedLibrary = { readonly library: NativeLibrary } | { readonly refusal: SourceReport };

/** Loads a library of NVIDIA's driver, on Linux only where the driver runs. */
export async function openNvidiaLibrary(system: DiscoverySystem, names: LibraryNames): Promise<OpenedLibrary> {
  const isBare = system.platform === 'linux' && !(await hasNvidiaKernelModule(system.files));
  return isBare ? { refusal: notThere(WITHOUT_MODULE) } : openLibrary(system, names);
}

export async function openLibrary(
  { platform, loadLibrary }: DiscoverySystem,
  names: LibraryNames,
): Promise<OpenedLibrary> {
  const candidates = names[platform];
  if (candidates === undefined) return { refusal: notThere(`there is no such library for ${platform}`) };
  const loaded = await loadLibrary(candidates);
  switch (loaded.kind) {
    case 'loaded':
      return { library: loaded.library };
    case 'missing':
      return { refusal: notThere(`the library is missing: ${loaded.reason}`) };
    case 'broken':
      return { refusal: notMeasured(`the library does not load: ${loaded.reason}`) };
  }
}
