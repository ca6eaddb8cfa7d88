import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Sighting, sourceNames } from './device.ts';
import { mergeSightings } from './merge-sightings.ts';

const GIB = 2 ** 30;

function seen(source: Sighting['source'], more: Partial<Sighting> = {}): Sighting {
  return { source, class: 'gpu', vendor: 'nvidia', facts: {}, gaps: [], ...more };
}

const nvml = seen('nvml', {
  name: 'NVIDIA GeForce RTX 4090',
  uuid: 'GPU-a',
  pciAddress: '0000:65:00.0',
  memoryBytes: 24 * GIB,
  driverVersion: '570.133.20',
  facts: { pciVendor: '0x10de', pciDevice: '0x2684' },
});
const sysfs = seen('sysfs', { pciAddress: '0000:65:00.0', facts: { pciVendor: '0x10de', pciDevice: '0x2684' } });

describe('mergeSightings', () => {
  it('takes views of one address or one UUID for one device, and keeps them all', () => {
    const cuda = seen('cuda', { uuid: 'GPU-a', name: 'NVIDIA GeForce RTX 4090' });
    const { devices } = mergeSightings([sysfs, cuda, nvml]);
    expect(devices).toHaveLength(1);
    expect(devices[0]).toEqual({
      id: 'GPU-a',
      name: 'NVIDIA GeForce RTX 4090',
      vendor: 'nvidia',
      class: 'gpu',
      memoryBytes: 24 * GIB,
      pciAddress: '0000:65:00.0',
      driverVersion: '570.133.20',
      sightings: [nvml, cuda, sysfs],
      contradictions: [],
    });
  });

  it('knows a device without a UUID by its address, and the processor as cpu', () => {
    const radeon = seen('sysfs', { vendor: 'amd', pciAddress: '0000:03:00.0', facts: { pciDevice: '0x744c' } });
    const { devices } = mergeSightings([seen('processor', { class: 'cpu', vendor: 'amd', name: 'AMD EPYC' }), radeon]);
    expect(devices.map(({ id, name, class: kind }) => [id, name, kind])).toEqual([
      ['pci:0000:03:00.0', 'amd device with PCI id 0x744c', 'gpu'],
      ['cpu', 'AMD EPYC', 'cpu'],
    ]);
  });

  it("puts a WebGPU adapter to the machine's only device of that vendor", () => {
    const adapter = seen('webgpu', { name: 'NVIDIA GeForce RTX 4090', facts: { architecture: 'lovelace' } });
    const { devices, unplaced } = mergeSightings([adapter, nvml, sysfs]);
    expect(devices.map(({ sightings }) => sightings.map(({ source }) => source))).toEqual([
      ['nvml', 'sysfs', 'webgpu'],
    ]);
    expect(unplaced).toEqual([]);
  });

  it('does not guess to which of two like devices an adapter belongs', () => {
    const twin = { ...nvml, uuid: 'GPU-b', pciAddress: '0000:66:00.0' };
    const { devices, unplaced } = mergeSightings([nvml, twin, seen('webgpu', { name: nvml.name ?? '' })]);
    expect(devices.map(({ id, sightings }) => [id, sightings.length])).toEqual([
      ['GPU-a', 1],
      ['GPU-b', 1],
    ]);
    expect(unplaced).toEqual(['NVIDIA GeForce RTX 4090 may be any of 2 devices']);
  });

  it('makes a GPU that WebGPU alone sees a device of its own', () => {
    const { devices } = mergeSightings([
      seen('webgpu', { vendor: 'intel', name: 'Intel(R) Arc(TM) A770 Graphics' }),
      nvml,
    ]);
    expect(devices.map(({ id }) => id)).toEqual(['GPU-a', 'webgpu:intel-r-arc-tm-a770-graphics']);
  });

  it('never joins a software adapter to a device', () => {
    const software = seen('webgpu', { class: 'software', name: 'NVIDIA GeForce RTX 4090' });
    const { devices } = mergeSightings([nvml, software]);
    expect(devices.map(({ id, class: kind }) => [id, kind])).toEqual([
      ['GPU-a', 'gpu'],
      ['webgpu:nvidia-geforce-rtx-4090', 'software'],
    ]);
  });

  it('shows where views contradict each other', () => {
    const liar = seen('sysfs', {
      vendor: 'amd',
      pciAddress: '0000:65:00.0',
      facts: { pciVendor: '0x1002', pciDevice: '0x2684' },
    });
    expect(mergeSightings([nvml, liar]).devices[0]?.contradictions).toEqual([
      'vendor: nvml says nvidia, sysfs says amd',
      'PCI vendor: nvml says 0x10de, sysfs says 0x1002',
    ]);
    const adapter = seen('webgpu', { name: 'NVIDIA GeForce RTX 3060 Ti' });
    expect(mergeSightings([nvml, adapter]).devices[0]?.contradictions).toEqual([
      'model: nvml says NVIDIA GeForce RTX 4090, webgpu says NVIDIA GeForce RTX 3060 Ti',
    ]);
  });

  it('shows memory that does not fit the model, or another source', () => {
    const small = { ...nvml, memoryBytes: 6 * GIB };
    expect(mergeSightings([small]).devices[0]?.contradictions).toEqual([
      'memory: nvml says 6.0 GiB, but a NVIDIA GeForce RTX 4090 has 24 GiB',
    ]);
    expect(mergeSightings([nvml, { ...sysfs, memoryBytes: 16 * GIB }]).devices[0]?.contradictions).toEqual([
      'memory: nvml says 24.0 GiB, sysfs says 16.0 GiB',
    ]);
  });

  it('loses no view and gives every device its own id, in whatever order sources answer', () => {
    const few = <Value>(...values: readonly Value[]) => fc.constantFrom(undefined, ...values);
    const anySighting = fc
      .record({
        source: fc.constantFrom(...sourceNames),
        kind: fc.constantFrom('gpu', 'software', 'cpu'),
        uuid: few('GPU-a', 'GPU-b'),
        pciAddress: few('0000:01:00.0', '0000:02:00.0'),
        name: few('one', 'other'),
      })
      .map(({ source, kind, uuid, pciAddress, name }) =>
        seen(source, {
          class: kind,
          ...(uuid === undefined ? {} : { uuid }),
          ...(pciAddress === undefined ? {} : { pciAddress }),
          ...(name === undefined ? {} : { name }),
        }),
      );
    fc.assert(
      fc.property(fc.array(anySighting, { maxLength: 12 }), (sightings) => {
        const { devices, unplaced } = mergeSightings(sightings);
        const kept = devices.flatMap((device) => device.sightings);
        expect(kept.length + unplaced.length).toBe(sightings.length);
        expect(new Set(devices.map(({ id }) => id)).size).toBe(devices.length);
        for (const one of ['GPU-a', 'GPU-b']) {
          const having = devices.filter((device) =>
            device.sightings.some(({ source, uuid }) => source !== 'webgpu' && uuid === one),
          );
          expect(having.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
