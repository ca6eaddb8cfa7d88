import { LatentError } from '@latent/protocol';

/** Dawn, the implementation of WebGPU that the package `webgpu` brings. It is loaded only when asked for. */
export async function loadDawn(): Promise<{ create: (options: string[]) => GPU }> {
  try {
    return await import('webgpu');
  } catch (cause) {
    throw new LatentError('DEVICE_UNAVAILABLE', 'The library for WebGPU could not be loaded.', {
      hint: 'It needs glibc 2.34 and GLIBCXX 3.4.30 (Debian 12, Ubuntu 22.04) on Linux, and the optional package webgpu.',
      cause,
    });
  }
}
