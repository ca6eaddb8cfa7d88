import { describe, expect, it } from 'vitest';
import type { NativeArgument } from '../discovery-system.ts';
import {
  fakeFiles,
  fakeLibrary,
  fakeLinker,
  fakeSystem,
  writeText,
  writeUint32,
  writeUint64,
} from '../fake-system.fixture.ts';
import { askCuda } from './cuda.ts';

type FakeFunction = (...values: readonly NativeArgument[]) => number;

const attributes: Readonly<Record<number, number>> = { 13: 1_980_000, 16: 132, 37: 6144, 75: 9, 76: 0 };

function system(changes: Readonly<Record<string, FakeFunction>> = {}) {
  const functions: Record<string, FakeFunction> = {
    cuInit: () => 0,
    cuDeviceGetCount: (target) => writeUint32(target, 1),
    cuDeviceGet: (target, index) => writeUint32(target, Number(index)),
    cuDeviceGetName: (target) => writeText(target, 'NVIDIA H200'),
    cuDeviceGetUuid: (target) => {
      if (target instanceof Uint8Array) target.set(Uint8Array.from({ length: 16 }, (_, index) => index + 1));
      return 0;
    },
    cuDeviceTotalMem_v2: (target) => writeUint64(target, 150_754_820_096n),
    cuDeviceGetPCIBusId: (target) => writeText(target, '0000:65:00.0'),
    cuDeviceGetAttribute: (target, attribute) => writeUint32(target, attributes[Number(attribute)] ?? 0),
    ...changes,
  };
  return fakeSystem({
    files: fakeFiles({ '/dev/nvidia0': '' }),
    loadLibrary: fakeLinker(fakeLibrary('libcuda.so.1', functions)),
  });
}

describe('askCuda', () => {
  it('tells what the driver tells, with the UUID in the form of NVML', async () => {
    expect(await askCuda(system())).toEqual({
      outcome: 'answered',
      detail: '1 device',
      sightings: [
        {
          source: 'cuda',
          class: 'gpu',
          vendor: 'nvidia',
          name: 'NVIDIA H200',
          uuid: 'GPU-01020304-0506-0708-090a-0b0c0d0e0f10',
          memoryBytes: 150_754_820_096,
          pciAddress: '0000:65:00.0',
          facts: { multiprocessors: 132, clockKhz: 1_980_000, busWidthBits: 6144, computeCapability: '9.0' },
          gaps: [],
        },
      ],
    });
  });

  it('does not start the driver where the kernel module is not loaded', async () => {
    expect(await askCuda({ ...system(), files: fakeFiles({}) })).toMatchObject({ outcome: 'not there', sightings: [] });
  });

  it('tells no device from a failure', async () => {
    expect(await askCuda(system({ cuInit: () => 100 }))).toMatchObject({ outcome: 'not there', returnCode: 100 });
    expect(await askCuda(system({ cuInit: () => 999 }))).toMatchObject({ outcome: 'not measured', returnCode: 999 });
    expect(await askCuda(system({ cuDeviceGetCount: () => 3 }))).toMatchObject({
      outcome: 'not measured',
      returnCode: 3,
    });
  });

  it('notes what is rubbish or refused', async () => {
    const report = await askCuda(system({ cuDeviceGetUuid: () => 0, cuDeviceTotalMem_v2: () => 101 }));
    expect(report.sightings[0]?.gaps).toEqual(['uuid: rubbish', 'memory: returned 101']);
    expect(report.sightings[0]?.pciAddress).toBe('0000:65:00.0');
  });

  it('counts devices that cannot be asked', async () => {
    expect(await askCuda(system({ cuDeviceGet: () => 101 }))).toMatchObject({
      detail: '1 device, 1 of them cannot be asked',
    });
  });
});
