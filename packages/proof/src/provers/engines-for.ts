import type { DiscoveredDevice } from '../devices/discovery/device.ts';
import type { EngineChoice } from './open-engine.ts';

/** How a device can be driven, the fastest way first. Pure; nothing is opened. */
export function enginesFor(device: DiscoveredDevice): readonly EngineChoice[] {
  const { class: kind, sightings, memoryBytes, name } = device;
  if (kind === 'cpu') return [{ kind: 'cpu' }];
  const nvidia = sightings.find(({ source }) => source === 'nvml' || source === 'cuda');
  const identity = nvidia?.uuid ?? nvidia?.pciAddress;
  const webgpu = sightings.find(({ source }) => source === 'webgpu');
  const memory = memoryBytes === undefined ? {} : { memoryBytes };
  return [
    ...(identity === undefined ? [] : [{ kind: 'cuda', device: identity } as const]),
    // Without a sighting of its own the device may still be the one that WebGPU prefers; what it is then shows.
    { kind: 'webgpu', ...(webgpu === undefined ? {} : { adapter: webgpu.name ?? name }), ...memory },
  ];
}
