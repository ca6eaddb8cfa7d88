import type { DiscoveredDevice } from '../devices/discovery/device.ts';
import type { EngineChoice } from './open-engine.ts';

/**
 * How a device can be driven, the fastest way first; none where nothing is sure to reach it. WebGPU is a way only to what it has
 * shown: asked for another device, it would give one of its own choice, which would be proven in that one's place. Pure;
 * nothing is opened.
 */
export function enginesFor(device: DiscoveredDevice): readonly EngineChoice[] {
  const { class: kind, sightings, memoryBytes, name } = device;
  if (kind === 'cpu') return [{ kind: 'cpu' }];
  const nvidia = sightings.find(({ source }) => source === 'nvml' || source === 'cuda');
  const identity = nvidia?.uuid ?? nvidia?.pciAddress;
  const webgpu = sightings.find(({ source }) => source === 'webgpu');
  const memory = memoryBytes === undefined ? {} : { memoryBytes };
  return [
    ...(identity === undefined ? [] : [{ kind: 'cuda', device: identity } as const]),
    ...(webgpu === undefined ? [] : [{ kind: 'webgpu', adapter: webgpu.name ?? name, ...memory } as const]),
  ];
}
