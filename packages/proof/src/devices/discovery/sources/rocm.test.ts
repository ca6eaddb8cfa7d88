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
import { askRocm } from './rocm.ts';

type FakeFunction = (...values: readonly NativeArgument[]) => number;
const withModule = fakeFiles({ '/sys/module/amdgpu/version': '6.10.5' });

function system(changes: Readonly<Record<string, FakeFunction>> = {}) {
  const functions: Record<string, FakeFunction> = {
    rsmi_init: () => 0,
    rsmi_shut_down: () => 0,
    rsmi_num_monitor_devices: (target) => writeUint32(target, 1),
    rsmi_dev_name_get: (_, target) => writeText(target, 'AMD Instinct MI300X OAM'),
    rsmi_dev_pci_id_get: (_, target) => writeUint64(target, (0x1n << 32n) | (0x3n << 28n) | 0xc500n),
    rsmi_dev_memory_total_get: (_, kind, target) => (kind === 0 ? writeUint64(target, 206_141_652_992n) : 1),
    rsmi_dev_unique_id_get: (_, target) => writeUint64(target, 0xdeadbeefn),
    rsmi_dev_busy_percent_get: (_, target) => writeUint32(target, 3),
    rsmi_version_str_get: (_, target) => writeText(target, '6.10.5'),
    ...changes,
  };
  return fakeSystem({ files: withModule, loadLibrary: fakeLinker(fakeLibrary('librocm_smi64.so.7', functions)) });
}

describe('askRocm', () => {
  it('tells what the library tells, without the partition in the address', async () => {
    const { sightings } = await askRocm(system());
    expect(sightings).toEqual([
      {
        source: 'rocm',
        class: 'gpu',
        vendor: 'amd',
        name: 'AMD Instinct MI300X OAM',
        pciAddress: '0001:c5:00.0',
        memoryBytes: 206_141_652_992,
        driverVersion: '6.10.5',
        facts: { uniqueId: '0xdeadbeef', busyPercent: 3 },
        gaps: [],
      },
    ]);
  });

  it('is not there without amdgpu, and without the library', async () => {
    expect(await askRocm(fakeSystem())).toMatchObject({ outcome: 'not there' });
    expect(await askRocm(fakeSystem({ files: withModule }))).toMatchObject({
      outcome: 'not there',
      detail: expect.stringContaining('librocm_smi64.so.7'),
    });
  });

  it('notes a refusal with its code, and single refusals with the device', async () => {
    expect(await askRocm(system({ rsmi_init: () => 8 }))).toMatchObject({ outcome: 'not measured', returnCode: 8 });
    const { sightings } = await askRocm(
      system({ rsmi_dev_unique_id_get: () => 2, rsmi_dev_busy_percent_get: () => 2 }),
    );
    expect(sightings[0]?.gaps).toEqual(['unique id: returned 2', 'utilization: returned 2']);
  });

  it('does not believe a count that cannot be', async () => {
    const report = await askRocm(system({ rsmi_num_monitor_devices: (target) => writeUint32(target, 4_000_000) }));
    expect(report.outcome).toBe('not measured');
  });
});
