import { describe, expect, it } from 'vitest';
import { buildDouble, whyNoDouble } from './cuda-double.fixture.ts';
import { openCudaEngine } from './cuda-engine.ts';
import { findCudaDevice, listCudaDevices } from './list-cuda-devices.ts';

const skip = await whyNoDouble();
const double = skip === undefined ? await buildDouble() : undefined;

describe.skipIf(double === undefined)(
  `devices of an emulated driver${skip === undefined ? '' : ` (skipped: ${skip})`}`,
  () => {
    const libraries = [double?.library ?? ''];

    it('are listed with what they say of themselves', async () => {
      double?.devices(2);
      double?.device(1, { capability: [8, 6], multiprocessors: 82, sharedBytes: 101376, memoryMib: 1024 });
      const devices = await listCudaDevices({ libraries });
      expect(devices.map(({ index }) => index)).toEqual([0, 1]);
      expect(devices[1]).toEqual({
        index: 1,
        name: 'Double 1',
        uuid: 'GPU-10111213-1415-1617-1819-1a1b1c1d1e1f',
        pciId: '0000:02:00.0',
        memoryBytes: 2 ** 30,
        capability: [8, 6],
        multiprocessors: 82,
        clockKhz: 1_980_000,
        sharedBytes: 101_376,
        cooperative: true,
      });
    });

    it('are found by number, UUID and PCI id', async () => {
      double?.devices(2);
      const devices = await listCudaDevices({ libraries });
      const found = [1, 'gpu-10111213-1415-1617-1819-1A1B1C1D1E1F', '0000:02:00.0'];
      expect(found.map((wanted) => findCudaDevice(devices, wanted).index)).toEqual([1, 1, 1]);
      expect(() => findCudaDevice(devices, 2)).toThrow(expect.objectContaining({ code: 'DEVICE_UNKNOWN' }));
    });

    it('are worked with at the same time', async () => {
      double?.devices(2);
      const engines = [await openCudaEngine({ libraries, device: 0 }), await openCudaEngine({ libraries, device: 1 })];
      expect(engines.map(({ device }) => device.name)).toEqual(['Double 0', 'Double 1']);
      for (const engine of engines) await engine.close();
      expect(double?.count('leaked')).toBe(0);
    });

    it('are not there when the driver sees none', async () => {
      double?.devices(0);
      await expect(listCudaDevices({ libraries })).rejects.toMatchObject({
        code: 'DEVICE_UNAVAILABLE',
        details: { name: 'CUDA_ERROR_NO_DEVICE' },
      });
    });
  },
);

describe('a machine without the driver', () => {
  it('is told apart, with what to do', async () => {
    const missing = listCudaDevices({ libraries: ['libcuda-that-is-not-there.so.1'] });
    await expect(missing).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      hint: expect.stringContaining('driver'),
      message: expect.stringContaining('libcuda-that-is-not-there.so.1'),
    });
  });

  it('is told apart when the library is another', async () => {
    await expect(listCudaDevices({ libraries: ['libc.so.6'] })).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });
});
