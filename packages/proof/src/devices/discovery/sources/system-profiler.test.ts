import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeSystem } from '../fake-system.fixture.ts';
import { askSystemProfiler } from './system-profiler.ts';

const never = new AbortController().signal;

function mac(stdout: string, exitCode = 0) {
  return fakeSystem({
    platform: 'darwin',
    runCommand: async () => ({ exitCode, stdout, stderr: '' }),
    processor: () => ({ model: 'Apple M2 Max', threads: 12, memoryBytes: 64 * 2 ** 30, architecture: 'arm64' }),
  });
}

/** As `system_profiler -json SPDisplaysDataType` answers, shortened. */
const m2Max = {
  _name: 'Apple M2 Max',
  spdisplays_mtlgpufamilysupport: 'spdisplays_metal3',
  spdisplays_ndrvs: [{ _name: 'Color LCD', spdisplays_main: 'spdisplays_yes' }],
  spdisplays_vendor: 'sppci_vendor_Apple',
  sppci_bus: 'spdisplays_builtin',
  sppci_cores: '38',
  sppci_device_type: 'spdisplays_gpu',
  sppci_model: 'Apple M2 Max',
};
const radeon = {
  _name: 'kHW_AMDRadeonPro5500MItem',
  spdisplays_vendor: 'sppci_vendor_amd',
  spdisplays_vram: '8 GB',
  sppci_device_type: 'spdisplays_gpu',
  sppci_model: 'AMD Radeon Pro 5500M',
};

describe('askSystemProfiler', () => {
  it("tells Apple's GPU with the memory of the machine, and others with their own", async () => {
    const { sightings } = await askSystemProfiler(mac(JSON.stringify({ SPDisplaysDataType: [m2Max, radeon] })), never);
    expect(sightings).toEqual([
      {
        source: 'system-profiler',
        class: 'gpu',
        vendor: 'apple',
        name: 'Apple M2 Max',
        memoryBytes: 64 * 2 ** 30,
        facts: { cores: 38, metal: 'spdisplays_metal3', bus: 'spdisplays_builtin', sharesMemory: true },
        gaps: [],
      },
      {
        source: 'system-profiler',
        class: 'gpu',
        vendor: 'amd',
        name: 'AMD Radeon Pro 5500M',
        memoryBytes: 8 * 2 ** 30,
        facts: { sharesMemory: false },
        gaps: [],
      },
    ]);
  });

  it('is not there on other systems, and is not asked', async () => {
    expect(await askSystemProfiler(fakeSystem(), never)).toMatchObject({ outcome: 'not there' });
  });

  it('notes an exit code and an answer that is none', async () => {
    expect(await askSystemProfiler(mac('', 64), never)).toMatchObject({ outcome: 'not measured', returnCode: 64 });
    for (const answer of [
      '',
      'no json',
      '[]',
      '{"SPDisplaysDataType":"none"}',
      `{"SPDisplaysDataType":[{"_name":"${'x'.repeat(300)}"}]}`,
    ]) {
      expect(await askSystemProfiler(mac(answer), never)).toMatchObject({ outcome: 'not measured', sightings: [] });
    }
  });

  it('takes any JSON without failing', async () => {
    const anyDisplay = fc.dictionary(fc.constantFrom(...Object.keys(m2Max), 'spdisplays_vram'), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(fc.array(anyDisplay), async (displays) => {
        const report = await askSystemProfiler(mac(JSON.stringify({ SPDisplaysDataType: displays })), never);
        expect(['answered', 'not measured']).toContain(report.outcome);
      }),
    );
  });
});
