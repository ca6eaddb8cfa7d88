import type { Discovery } from '@latent/proof/devices';

/** The devices of this machine, WebGPU asked too: in a process of its own, as a driver that fails takes its process with it. */
export async function findDevices(signal: AbortSignal): Promise<Discovery> {
  const [{ discoverDevices }, { listWebGpuAdapters }] = await Promise.all([
    import('@latent/proof/devices'),
    import('@latent/proof/provers'),
  ]);
  const webgpuAdapters = async () =>
    (await listWebGpuAdapters()).map(({ name, vendor, architecture, software }) => ({
      ...{ vendor, architecture, device: '', description: name, isFallbackAdapter: software },
    }));
  return discoverDevices({ signal, webgpuAdapters });
}
