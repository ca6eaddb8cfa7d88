import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeFiles, fakeLinker, fakeSystem, writeText, writeUint32 } from '../fake-system.fixture.ts';
import { type FakeNvmlDevice, fakeNvml, h200 } from './fake-nvml.fixture.ts';
import { askNvml } from './nvml.ts';

const withModule = fakeFiles({ '/sys/module/nvidia/version': '570.133.20' });
const on = (...fake: Parameters<typeof fakeNvml>) =>
  fakeSystem({ files: withModule, loadLibrary: fakeLinker(fakeNvml(...fake)) });

describe('askNvml', () => {
  it('tells what the library tells of each device', async () => {
    const other = { ...h200, uuid: 'GPU-1', bus: '00000000:E5:00.0' };
    const { outcome, detail, sightings } = await askNvml(on([h200, other]));
    expect({ outcome, detail }).toEqual({ outcome: 'answered', detail: '2 devices' });
    expect(sightings[0]).toEqual({
      source: 'nvml',
      class: 'gpu',
      vendor: 'nvidia',
      name: 'NVIDIA H200',
      uuid: h200.uuid,
      memoryBytes: 143_771 * 2 ** 20,
      driverVersion: '570.133.20',
      pciAddress: '0000:65:00.0',
      facts: { serial: '1650423002345', mig: 'off', busyPercent: 37, pciVendor: '0x10de', pciDevice: '0x2335' },
      gaps: [],
    });
    expect(sightings[1]).toMatchObject({ uuid: 'GPU-1', pciAddress: '0000:e5:00.0' });
  });

  it('does not load the library where the kernel module is not loaded, and says why', async () => {
    const asked: string[] = [];
    const system = fakeSystem({
      files: fakeFiles({ '/dev/nvidiactl': '' }),
      loadLibrary: async (names) => {
        asked.push(...names);
        return { kind: 'missing', reason: 'none' };
      },
    });
    expect(await askNvml(system)).toMatchObject({
      outcome: 'not there',
      detail: expect.stringContaining('would create /dev/nvidiactl'),
    });
    expect(asked).toEqual([]);
  });

  it.each(['/proc/driver/nvidia/version', '/sys/module/nvidia/version', '/dev/nvidia0', '/dev/dxg'])(
    'takes %s for a driver that runs',
    async (path) => {
      const system = fakeSystem({ files: fakeFiles({ [path]: '' }), loadLibrary: fakeLinker(fakeNvml([h200])) });
      expect((await askNvml(system)).sightings).toHaveLength(1);
    },
  );

  it('tells a library that is missing from one that does not load', async () => {
    const missing = await askNvml(fakeSystem({ files: withModule }));
    expect(missing).toMatchObject({ outcome: 'not there', detail: expect.stringContaining('libnvidia-ml.so.1') });
    const broken = await askNvml(
      fakeSystem({ files: withModule, loadLibrary: async () => ({ kind: 'broken', reason: 'wrong ELF class' }) }),
    );
    expect(broken).toMatchObject({ outcome: 'not measured', detail: expect.stringContaining('wrong ELF class') });
  });

  it('is not there on a Mac', async () => {
    expect((await askNvml(fakeSystem({ platform: 'darwin' }))).outcome).toBe('not there');
  });

  it.each([
    [9, 'not there', 'nvmlInit: driver not loaded (9)'],
    [18, 'not measured', 'nvmlInit: library and driver are of different versions (18)'],
    [12345, 'not measured', 'nvmlInit: unknown return code (12345)'],
  ])('notes that init returned %i', async (returnCode, outcome, detail) => {
    const report = await askNvml(on([h200], { nvmlInit_v2: () => returnCode }));
    expect(report).toEqual({ outcome, detail, returnCode, sightings: [] });
  });

  it('shuts the library down even when it fails', async () => {
    let closed = 0;
    const nvmlShutdown = () => ++closed;
    await askNvml(on([h200], { nvmlShutdown, nvmlDeviceGetCount_v2: () => 999 }));
    expect(closed).toBe(1);
  });

  it('keeps what a device tells and notes what it does not', async () => {
    const report = await askNvml(
      on([h200], {
        nvmlDeviceGetSerial: () => 4,
        nvmlDeviceGetMigMode: () => 3,
        nvmlDeviceGetUtilizationRates: undefined,
        nvmlDeviceGetMemoryInfo: () => 0,
        nvmlDeviceGetName: (_, target) => writeText(target, ''),
      }),
    );
    expect(report.sightings[0]?.uuid).toBe(h200.uuid);
    expect(report.sightings[0]?.facts).toEqual({ pciVendor: '0x10de', pciDevice: '0x2335' });
    expect(report.sightings[0]?.gaps).toEqual([
      'name: rubbish',
      'serial: no permission (4)',
      'memory: rubbish',
      'utilization: function not found (13)',
      'mig: not supported (3)',
    ]);
  });

  it('notes a device that has fallen off the bus beside those that answer', async () => {
    const report = await askNvml(on([h200], { nvmlDeviceGetHandleByIndex_v2: () => 15 }));
    expect(report).toMatchObject({
      outcome: 'answered',
      detail: '1 device; device 0 cannot be asked: the device has fallen off the bus (15)',
      sightings: [],
    });
  });

  it('does not believe a count that cannot be', async () => {
    const report = await askNvml(on([h200], { nvmlDeviceGetCount_v2: (target) => writeUint32(target, 0xffffffff) }));
    expect(report).toMatchObject({ outcome: 'not measured', sightings: [] });
  });

  it('refuses a library that is no NVML', async () => {
    expect(await askNvml(on([h200], { nvmlInit_v2: undefined }))).toMatchObject({ outcome: 'not measured' });
  });

  it('takes whatever a driver writes without failing, and shows only what is printable', async () => {
    const rubbish = fc.record({
      name: fc.string({ unit: 'binary' }),
      uuid: fc.string({ unit: 'binary' }),
      bus: fc.string(),
      memoryMiB: fc.nat(),
      pciIds: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(rubbish, async (device: FakeNvmlDevice) => {
        const { outcome, sightings } = await askNvml(on([device]));
        expect(outcome).toBe('answered');
        expect(sightings[0]?.name ?? '').toMatch(/^[\x20-\x7e\u00a1-\u00ff\u2122]*$/);
      }),
    );
  });
});
