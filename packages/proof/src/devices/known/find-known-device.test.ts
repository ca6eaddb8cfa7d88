import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findKnownDevice, hasAbout, knownDevicesNamed } from './find-known-device.ts';
import { knownDevices } from './known-devices.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const anyDevice = fc.constantFrom(...knownDevices);

/** Names as drivers print them, with what NVML, Vulkan or Metal report of the memory where that decides. */
const printed: readonly (readonly [
  name: string,
  memoryMiB: number | undefined,
  found: string,
  memoryGiB: number | null,
])[] = [
  ['NVIDIA GeForce RTX 4090', 24564, 'NVIDIA GeForce RTX 4090', 24],
  ['NVIDIA H200', 143771, 'NVIDIA H200', 141],
  ['NVIDIA H100 80GB HBM3', 81559, 'NVIDIA H100 80GB HBM3', 80],
  ['NVIDIA B200', 183359, 'NVIDIA B200', 180],
  ['Tesla T4', 15360, 'Tesla T4', 16],
  ['NVIDIA A100-SXM4-80GB', 81920, 'NVIDIA A100-SXM4-80GB', 80],
  ['NVIDIA A100-SXM4-40GB', 40960, 'NVIDIA A100-SXM4-40GB', 40],
  ['NVIDIA A100 80GB PCIe', undefined, 'NVIDIA A100 80GB PCIe', 80],
  ['NVIDIA A10G', 23028, 'NVIDIA A10G', 24],
  ['NVIDIA GeForce RTX 3060', 12288, 'NVIDIA GeForce RTX 3060', 12],
  ['NVIDIA GeForce RTX 3060', 8192, 'NVIDIA GeForce RTX 3060', 8],
  ['NVIDIA GeForce RTX 4060 Ti', 16380, 'NVIDIA GeForce RTX 4060 Ti', 16],
  ['NVIDIA GeForce RTX 4060 Ti', 8188, 'NVIDIA GeForce RTX 4060 Ti', 8],
  [
    'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
    97887,
    'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
    96,
  ],
  ['NVIDIA Quadro RTX 8000', undefined, 'Quadro RTX 8000', 48],
  ['AMD Radeon RX 7900 XTX (RADV NAVI31)', 24560, 'AMD Radeon RX 7900 XTX', 24],
  ['AMD Instinct MI300X', 196592, 'AMD Instinct MI300X', 192],
  ['Intel(R) Arc(TM) A770 Graphics (DG2)', 16288, 'Intel(R) Arc(TM) A770 Graphics', 16],
  ['Intel(R) Arc(tm) B580 Graphics', undefined, 'Intel(R) Arc(TM) B580 Graphics', 12],
  ['Apple M2 Max', 65536, 'Apple M2 Max', null],
  ['rtx4090', undefined, 'NVIDIA GeForce RTX 4090', 24],
];

describe('findKnownDevice', () => {
  it.each(printed)('takes "%s" with %s MiB for %s', (name, memoryMiB, found, memoryGiB) => {
    const device = findKnownDevice(name, memoryMiB === undefined ? undefined : memoryMiB * MIB);
    expect(device).toMatchObject({ name: found, memoryGiB });
  });

  it.each([
    'NVIDIA GeForce RTX 4090 Laptop GPU',
    'NVIDIA GeForce RTX 3080 Laptop GPU',
    'NVIDIA GeForce RTX 3080 (Laptop GPU)',
    'NVIDIA GeForce RTX 2080 with Max-Q Design',
    'NVIDIA GeForce RTX 2080 Super with Max-Q Design',
    'NVIDIA GeForce RTX 5090 D',
    'AMD GeForce RTX 4090',
    'AMD Radeon RX 7900 XT/7900 XTX/7900 GRE',
    'AMD Radeon Graphics',
    'NVIDIA Graphics Device',
    'Apple M5 Max',
    'RTX 40900',
    'llvmpipe (LLVM 15.0.6, 256 bits)',
    '',
    'NVIDIA',
    '()',
  ])('takes "%s" for nothing that is known', (name) => {
    expect(findKnownDevice(name)).toBeUndefined();
  });

  it('does not take a model for its neighbour', () => {
    const models = ['RTX 3080', 'RTX 3080 Ti', 'RTX 4070', 'RTX 4070 SUPER', 'RTX 4070 Ti', 'RTX 4070 Ti SUPER'];
    expect(models.map((model) => findKnownDevice(model, 12 * GIB)?.name)).toEqual([
      'NVIDIA GeForce RTX 3080',
      'NVIDIA GeForce RTX 3080 Ti',
      'NVIDIA GeForce RTX 4070',
      'NVIDIA GeForce RTX 4070 SUPER',
      'NVIDIA GeForce RTX 4070 Ti',
      'NVIDIA GeForce RTX 4070 Ti SUPER',
    ]);
  });

  it('does not choose among models of one name without their memory, nor by a memory that none of them has', () => {
    expect(findKnownDevice('NVIDIA GeForce RTX 3060')).toBeUndefined();
    expect(findKnownDevice('NVIDIA GeForce RTX 3060', 6 * GIB)).toBeUndefined();
    expect(knownDevicesNamed('NVIDIA GeForce RTX 3060')).toHaveLength(2);
  });

  it('finds every device of the table by its own name and memory, in any case and with less than its nominal memory', () => {
    fc.assert(
      fc.property(anyDevice, fc.boolean(), fc.double({ min: 0.92, max: 1, noNaN: true }), (device, upper, part) => {
        const name = upper ? device.name.toUpperCase() : device.name.toLowerCase();
        expect(findKnownDevice(name, (device.memoryGiB ?? 16) * GIB * part)).toBe(device);
      }),
    );
  });

  it('finds nothing once a word is added to a name', () => {
    fc.assert(
      fc.property(
        anyDevice,
        fc.constantFrom('Laptop GPU', 'Max-Q', 'Mobile', 'LHR', 'X', 'Engineering Sample'),
        (device, word) => {
          expect(knownDevicesNamed(`${device.name} ${word}`)).toEqual([]);
        },
      ),
    );
  });

  it('takes any text without failing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.option(fc.double(), { nil: undefined }), (name, memoryBytes) => {
        findKnownDevice(name, memoryBytes);
      }),
    );
  });
});

it('takes a device of any memory for a model without a nominal size', () => {
  const [m2Max] = knownDevicesNamed('Apple M2 Max');
  expect(m2Max && hasAbout(m2Max, 96)).toBe(true);
});
