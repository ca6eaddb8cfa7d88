import { type DiscoveredDevice, findKnownDevice } from '@latent/proof/devices';
import { expect, it } from 'vitest';
import { showDevices } from './show-devices.ts';

const gpu: DiscoveredDevice = {
  id: 'GPU-1',
  name: 'NVIDIA H200',
  vendor: 'nvidia',
  class: 'gpu',
  memoryBytes: 150_754_820_096,
  driverVersion: '570.133.20',
  sightings: [],
  contradictions: ['memory: nvml says 140.4 GiB, sysfs says 1.0 GiB'],
};
const other: DiscoveredDevice = {
  id: 'pci:0000:03:00.0',
  name: 'amd device with PCI id 0x1',
  vendor: 'amd',
  class: 'gpu',
  sightings: [],
  contradictions: [],
};

it('shows devices, contradictions and how each source took it', () => {
  const shown = showDevices(
    [
      { device: gpu, known: findKnownDevice('NVIDIA H200') },
      { device: other, known: undefined },
      { device: { ...other, id: 'cpu', class: 'cpu', name: 'AMD EPYC' }, known: undefined },
    ],
    [{ source: 'rocm', outcome: 'not there', detail: 'the library is missing' }],
  );
  expect(shown.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['id', 'class', 'name', 'memory', 'driver', 'known model'],
    ['GPU-1', 'gpu', 'NVIDIA H200', '140 GiB', '570.133.20', 'NVIDIA H200'],
    ['pci:0000:03:00.0', 'gpu', 'amd device with PCI id 0x1', 'not told', 'no'],
    ['cpu', 'cpu', 'AMD EPYC', 'not told'],
    [''],
    ['! GPU-1: memory: nvml says 140.4 GiB, sysfs says 1.0 GiB'],
    [''],
    ['This is what devices say of themselves. Only a proof shows what they are.'],
    [''],
    ['source', 'outcome'],
    ['rocm', 'not there', 'the library is missing'],
  ]);
});

it('leaves no gap where nothing contradicts', () => {
  expect(showDevices([{ device: other, known: undefined }], [])).not.toContain('\n\n\n');
});
