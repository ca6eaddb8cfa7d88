import { describe, expect, it } from 'vitest';
import { sourceNames } from './device.ts';
import { discoverDevices } from './discover-devices.ts';
import { fakeFiles, fakeLinker, fakeSystem } from './fake-system.fixture.ts';
import { fakeNvml, h200 } from './sources/fake-nvml.fixture.ts';
import { thisMachine } from './this-machine.ts';

const h200InSysfs = {
  '/sys/bus/pci/devices/0000:65:00.0/class': '0x030200',
  '/sys/bus/pci/devices/0000:65:00.0/vendor': '0x10de',
  '/sys/bus/pci/devices/0000:65:00.0/device': '0x2335',
};
const machine = fakeSystem({
  files: fakeFiles({ '/sys/module/nvidia/version': '', ...h200InSysfs }),
  loadLibrary: fakeLinker(fakeNvml([h200])),
});

describe('discoverDevices', () => {
  it('puts all views together and notes how each source took it', async () => {
    const { devices, notes } = await discoverDevices({ system: machine });
    expect(devices.map(({ id, class: kind }) => [id, kind])).toEqual([
      [h200.uuid, 'gpu'],
      ['cpu', 'cpu'],
    ]);
    expect(devices[0]).toMatchObject({ name: 'NVIDIA H200', pciAddress: '0000:65:00.0', contradictions: [] });
    expect(notes.map(({ source, outcome }) => [source, outcome])).toEqual([
      ['nvml', 'answered'],
      ['cuda', 'not measured'],
      ['rocm', 'not there'],
      ['sysfs', 'answered'],
      ['system-profiler', 'not there'],
      ['webgpu', 'not measured'],
      ['processor', 'answered'],
    ]);
  });

  it('finds the device by its address alone where the driver is broken', async () => {
    const loadLibrary = fakeLinker(fakeNvml([h200], { nvmlInit_v2: () => 18 }));
    const { devices, notes } = await discoverDevices({ system: { ...machine, loadLibrary } });
    expect(devices[0]).toMatchObject({
      id: 'pci:0000:65:00.0',
      class: 'gpu',
      name: 'nvidia device with PCI id 0x2335',
    });
    expect(notes[0]).toMatchObject({ source: 'nvml', outcome: 'not measured', returnCode: 18 });
    expect(notes[1]).toMatchObject({ source: 'cuda', outcome: 'not there' });
  });

  it('has only the processor where there is nothing else', async () => {
    const { devices } = await discoverDevices({ system: fakeSystem() });
    expect(devices.map(({ id }) => id)).toEqual(['cpu']);
  });

  it('turns a source that fails into a note', async () => {
    const webgpuAdapters = async () => {
      throw new Error('no adapter');
    };
    const { devices, notes } = await discoverDevices({ system: machine, webgpuAdapters });
    expect(devices).toHaveLength(2);
    expect(notes.find(({ source }) => source === 'webgpu')).toEqual({
      source: 'webgpu',
      outcome: 'not measured',
      detail: 'failed: no adapter',
    });
  });

  it('does not wait for a source that never answers', async () => {
    const { promise: forever } = Promise.withResolvers<never>();
    const { devices, notes } = await discoverDevices({ system: machine, webgpuAdapters: () => forever, timeoutMs: 50 });
    expect(devices.at(-1)?.id).toBe('cpu');
    expect(notes.find(({ source }) => source === 'webgpu')?.detail).toBe('did not answer within 50 ms');
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const { promise: forever } = Promise.withResolvers<never>();
    const discovery = discoverDevices({ system: machine, webgpuAdapters: () => forever, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(discovery).rejects.toThrow('enough');
    await expect(discoverDevices({ system: machine, signal: stop.signal })).rejects.toThrow('enough');
  });

  it('sees the machine that it runs on: a processor at least, and a note from every source', async () => {
    const { devices, notes } = await discoverDevices();
    expect(devices.find(({ id }) => id === 'cpu')).toMatchObject({ class: 'cpu' });
    expect(notes.map(({ source }) => source)).toEqual([...sourceNames.slice(0, 5), 'webgpu', 'processor']);
  });
});

describe('thisMachine', () => {
  it('runs a command, and gives its exit code', async () => {
    const { runCommand } = thisMachine();
    const { signal } = new AbortController();
    expect(await runCommand(process.execPath, ['-e', 'console.log(1)'], signal)).toMatchObject({
      exitCode: 0,
      stdout: '1\n',
    });
    expect(await runCommand(process.execPath, ['-e', 'process.exit(3)'], signal)).toMatchObject({ exitCode: 3 });
    await expect(runCommand('/nowhere/latent-none', [], signal)).rejects.toThrow('ENOENT');
  });
});
