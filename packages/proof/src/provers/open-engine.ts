import type { Engine } from './engine.ts';

/** Which device to open, and through what. */
export type EngineChoice =
  | { readonly kind: 'cpu'; readonly threads?: number }
  /** `device`: number, UUID or PCI address. */
  | { readonly kind: 'cuda'; readonly device: number | string }
  /** `adapter`: a part of the device's name; `memoryBytes`: what discovery says that it has. */
  | { readonly kind: 'webgpu'; readonly adapter?: string; readonly memoryBytes?: number };

/**
 * Opens one engine. Libraries of the others are not loaded.
 * @throws LatentError DEVICE_UNKNOWN, DEVICE_UNAVAILABLE, DEVICE_LOST
 */
export async function openEngine(choice: EngineChoice): Promise<Engine> {
  switch (choice.kind) {
    case 'cpu': {
      const { openCpuEngine } = await import('./cpu/cpu-engine.ts');
      return openCpuEngine(choice.threads === undefined ? {} : { threads: choice.threads });
    }
    case 'cuda': {
      const { openCudaEngine } = await import('./cuda/cuda-engine.ts');
      return openCudaEngine({ device: choice.device });
    }
    case 'webgpu': {
      const { openWebGpuEngine } = await import('./webgpu/open-webgpu-engine.ts');
      const { kind: _, ...options } = choice;
      return openWebGpuEngine(options);
    }
  }
}
