import { describe, expect, it } from 'vitest';
import type { DiscoveredDevice, Sighting, SourceName } from '../devices/discovery/device.ts';
import { enginesFor } from './engines-for.ts';

const seen = (source: SourceName, more: Partial<Sighting> = {}): Sighting => ({
  ...{ source, class: 'gpu', vendor: 'nvidia', facts: {}, gaps: [] },
  ...more,
});
const device = (sightings: readonly Sighting[], more: Partial<DiscoveredDevice> = {}): DiscoveredDevice => ({
  ...{ id: 'GPU-1', name: 'Test 9000', vendor: 'nvidia', class: 'gpu', sightings, contradictions: [] },
  ...more,
});

describe('enginesFor', () => {
  it('drives a processor by its own engine', () => {
    const processor = device([seen('processor', { class: 'cpu' })], { class: 'cpu' });
    expect(enginesFor(processor)).toEqual([{ kind: 'cpu' }]);
  });

  it('drives what CUDA names by its UUID, and by WebGPU only as a second way, under the name that WebGPU has for it', () => {
    const both = device(
      [seen('nvml', { uuid: 'GPU-1', pciAddress: '0000:65:00.0' }), seen('webgpu', { name: 'NVIDIA Test' })],
      { memoryBytes: 2 ** 34 },
    );
    expect(enginesFor(both)).toEqual([
      { kind: 'cuda', device: 'GPU-1' },
      { kind: 'webgpu', adapter: 'NVIDIA Test', memoryBytes: 2 ** 34 },
    ]);
  });

  it('asks WebGPU for no device that it has not shown', () => {
    expect(enginesFor(device([seen('cuda', { pciAddress: '0000:65:00.0' })]))).toEqual([
      { kind: 'cuda', device: '0000:65:00.0' },
    ]);
    expect(enginesFor(device([seen('sysfs', { vendor: 'amd', pciAddress: '0000:03:00.0' })]))).toEqual([]);
  });

  it('drives a software device by WebGPU, which alone knows it', () => {
    const software = device([seen('webgpu', { class: 'software' })], { class: 'software' });
    expect(enginesFor(software)).toEqual([{ kind: 'webgpu', adapter: 'Test 9000' }]);
  });
});
