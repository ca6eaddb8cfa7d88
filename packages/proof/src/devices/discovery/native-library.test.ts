import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fakeFiles, fakeSystem } from './fake-system.fixture.ts';
import { loadLibrary } from './native-library.ts';
import { askNvml } from './sources/nvml.ts';

const folder = mkdtempSync(join(tmpdir(), 'latent-native-'));
const library = join(folder, 'libnvidia-ml.so.1');
const source = join(import.meta.dirname, 'fake-nvml.fixture.c');
/** Named by POSIX; the tests below are skipped by name where there is none. */
const COMPILER = 'cc';
const compiled = spawnSync(COMPILER, ['-shared', '-fPIC', '-Wall', '-Werror', '-o', library, source], {
  encoding: 'utf8',
});
const hasCompiler = compiled.error === undefined;

afterAll(() => rmSync(folder, { recursive: true }));

describe('loadLibrary', () => {
  it('tells a library that is missing from a file that is none', async () => {
    expect(await loadLibrary(['liblatent-none.so.1', '/nowhere/liblatent-none.so'])).toEqual({
      kind: 'missing',
      reason: 'no liblatent-none.so.1, /nowhere/liblatent-none.so',
    });
    const text = join(folder, 'text.so');
    writeFileSync(text, 'no library');
    expect(await loadLibrary([text])).toMatchObject({ kind: 'broken', reason: expect.stringContaining(text) });
  });
});

describe.skipIf(!hasCompiler)('a C library, which takes a C compiler `cc` to test', () => {
  it('compiles', () => {
    expect(compiled.stderr).toBe('');
    expect(compiled.status).toBe(0);
  });

  it('is the first of the names that is there', async () => {
    expect(await loadLibrary(['liblatent-none.so.1', library])).toMatchObject({
      kind: 'loaded',
      library: { path: library },
    });
  });

  it('lacks what it lacks', async () => {
    const loaded = await loadLibrary([library]);
    if (loaded.kind !== 'loaded') throw new Error(loaded.reason);
    expect(loaded.library.find('int nvmlDeviceGetNothing(uint64_t handle)')).toBeUndefined();
    expect(
      await loaded.library.find('int nvmlDeviceGetHandleByIndex_v2(uint32_t, _Out_ uint8_t *)')?.(9, new Uint8Array(8)),
    ).toBe(2);
  });

  it('is read as NVML: structures, handles and texts are where a C compiler puts them', async () => {
    const system = fakeSystem({
      files: fakeFiles({ '/sys/module/nvidia/version': '' }),
      loadLibrary: () => loadLibrary([library]),
    });
    const { outcome, sightings } = await askNvml(system);
    expect(outcome).toBe('answered');
    expect(sightings).toEqual(
      [0, 1].map((number) => ({
        source: 'nvml',
        class: 'gpu',
        vendor: 'nvidia',
        name: `NVIDIA Test ${number}`,
        uuid: `GPU-${number}`,
        memoryBytes: (number + 1) * 2 ** 36,
        driverVersion: '570.133.20',
        pciAddress: `0000:${(0x65 + number).toString(16)}:00.0`,
        facts: { mig: number === 1 ? 'on' : 'off', busyPercent: 40 + number, pciVendor: '0x10de', pciDevice: '0x2335' },
        gaps: ['serial: no permission (4)'],
      })),
    );
  });
});
