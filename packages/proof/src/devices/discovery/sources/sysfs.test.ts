import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { fakeFiles, fakeSystem } from '../fake-system.fixture.ts';
import { createFileView } from '../file-view.ts';
import { askSysfs } from './sysfs.ts';

const roots: string[] = [];

afterEach(async () => {
  await Promise.all(roots.splice(0).map((root) => rm(root, { recursive: true })));
});

/** A tree on disk that looks like sysfs: files of each device by name. */
async function machine(devices: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  const root = await mkdtemp(join(tmpdir(), 'latent-sysfs-'));
  roots.push(root);
  for (const [address, files] of Object.entries(devices)) {
    const folder = join(root, 'sys/bus/pci/devices', address);
    await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      if (name === 'driver') await symlink(`../../../bus/pci/drivers/${content}`, join(folder, name));
      else await writeFile(join(folder, name), `${content}\n`);
    }
  }
  return fakeSystem({ files: createFileView(root) });
}

describe('askSysfs', () => {
  it('tells of display devices and accelerators, with what amdgpu says of the memory', async () => {
    const system = await machine({
      '0000:00:1f.0': { class: '0x060100', vendor: '0x8086', device: '0x7a04' },
      '0000:03:00.0': {
        class: '0x030000',
        vendor: '0x1002',
        device: '0x744c',
        mem_info_vram_total: '25753026560',
        driver: 'amdgpu',
      },
      '0000:65:00.0': { class: '0x030200', vendor: '0x10de', device: '0x2335', driver: 'vfio-pci' },
      '0000:c5:00.0': { class: '0x120000', vendor: '0x1002', device: '0x74a1' },
    });
    const { outcome, detail, sightings } = await askSysfs(system);
    expect({ outcome, detail }).toEqual({ outcome: 'answered', detail: '3 devices among 4 on the PCI bus' });
    expect(sightings).toEqual([
      {
        source: 'sysfs',
        class: 'gpu',
        vendor: 'amd',
        pciAddress: '0000:03:00.0',
        memoryBytes: 25_753_026_560,
        facts: { pciClass: '0x030000', pciVendor: '0x1002', pciDevice: '0x744c', kernelDriver: 'amdgpu' },
        gaps: [],
      },
      {
        source: 'sysfs',
        class: 'gpu',
        vendor: 'nvidia',
        pciAddress: '0000:65:00.0',
        facts: { pciClass: '0x030200', pciVendor: '0x10de', pciDevice: '0x2335', kernelDriver: 'vfio-pci' },
        gaps: [],
      },
      {
        source: 'sysfs',
        class: 'gpu',
        vendor: 'amd',
        pciAddress: '0000:c5:00.0',
        facts: { pciClass: '0x120000', pciVendor: '0x1002', pciDevice: '0x74a1' },
        gaps: [],
      },
    ]);
  });

  it('leaves out display devices that do not compute, and says so', async () => {
    const system = await machine({
      '0000:02:00.0': { class: '0x030000', vendor: '0x1a03', device: '0x2000' },
      '0000:00:0b.0': { class: '0x120000', vendor: '0x8086', device: '0x7d1d' },
    });
    const { sightings, detail } = await askSysfs(system);
    expect(sightings).toEqual([]);
    expect(detail).toBe(
      '0 devices among 2 on the PCI bus; left out 0000:00:0b.0, an accelerator of vendor 0x8086; left out 0000:02:00.0, a display device of vendor 0x1a03',
    );
  });

  it('is not there without the folder, and on other systems', async () => {
    expect(await askSysfs(await machine({}))).toMatchObject({ outcome: 'not there' });
    expect(await askSysfs(fakeSystem({ platform: 'win32' }))).toMatchObject({ outcome: 'not there' });
  });

  it('notes memory that is rubbish or cannot be read, and keeps the device', async () => {
    const files = { class: '0x030000', vendor: '0x1002', device: '0x744c' };
    const rubbish = await askSysfs(await machine({ '0000:03:00.0': { ...files, mem_info_vram_total: '-1' } }));
    expect(rubbish.sightings[0]?.gaps).toEqual(['memory: rubbish']);
    const folder = await machine({ '0000:03:00.0': files });
    const asleep = { ...folder.files, readText: failingFor('mem_info_vram_total', folder.files.readText) };
    expect((await askSysfs({ ...folder, files: asleep })).sightings[0]?.gaps).toEqual(['memory: EIO: i/o error, read']);
  });

  it('takes whatever the files say without failing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), fc.string(), async (pciClass, vendor, address) => {
        const path = `/sys/bus/pci/devices/${address.replaceAll('/', '') || 'x'}`;
        const files = fakeFiles({ [`${path}/class`]: pciClass, [`${path}/vendor`]: vendor });
        expect((await askSysfs(fakeSystem({ files }))).outcome).toBe('answered');
      }),
    );
  });
});

function failingFor(name: string, read: (path: string) => Promise<string | undefined>) {
  return async (path: string) => {
    if (path.endsWith(name)) throw new Error('EIO: i/o error, read');
    return read(path);
  };
}
