import type { DiscoveredDevice } from '@latent/proof/devices';
import type { Engine, enginesFor, openEngine } from '@latent/proof/provers';
import { LatentError, toLatentError } from '@latent/protocol';

export interface Provers {
  readonly enginesFor: typeof enginesFor;
  readonly openEngine: typeof openEngine;
}

/**
 * Opens the device by the first way that works.
 * @throws LatentError of the last way that was tried; DEVICE_UNAVAILABLE where there is none
 */
export async function openFirst(device: DiscoveredDevice, provers: Provers): Promise<Engine> {
  const choices = provers.enginesFor(device);
  let failure: LatentError | undefined;
  for (const choice of choices) {
    try {
      return await provers.openEngine(choice);
    } catch (thrown) {
      failure = toLatentError(thrown);
      if (failure.code !== 'DEVICE_UNAVAILABLE') throw failure;
    }
  }
  if (failure !== undefined && choices.some(({ kind }) => kind !== 'cuda')) throw failure;
  throw withoutWebGpu(device, failure);
}

/** @param failure of the way that there was, if there was one */
function withoutWebGpu({ name }: DiscoveredDevice, failure: LatentError | undefined): LatentError {
  const shows = `WebGPU shows no device that is sure to be ${name}.`;
  const hint =
    'For WebGPU install the driver’s Vulkan, Metal or Direct3D 12 part (on Linux also libvulkan1). `latent device list` says what it shows, and what of it could be one of several devices.';
  return new LatentError('DEVICE_UNAVAILABLE', failure === undefined ? shows : `${failure.message} ${shows}`, {
    hint: failure?.hint === undefined ? hint : `${failure.hint} ${hint}`,
    ...(failure === undefined ? {} : { cause: failure }),
  });
}
