import type { DeviceVendor, Sighting, SourceReport } from '../device.ts';
import type { DiscoverySystem, FileView } from '../discovery-system.ts';
import { given } from '../given.ts';
import { cleanText } from '../native-values.ts';
import { formatPciId, normalizePciAddress, parsePciId, vendorOfPciId } from '../pci.ts';
import { answered, countDevices, notThere } from '../reports.ts';

const FOLDER = '/sys/bus/pci/devices';

/** PCI class 0x03: display controllers. 0x1200: processing accelerators, as AMD's Instinct calls itself. */
const DISPLAY = 0x03;
const ACCELERATOR = 0x1200;

/**
 * Vendors whose display devices compute. Servers have a display device of ASPEED or Matrox for their console, virtual machines one
 * of their hypervisor. An accelerator of Intel is a neural processor, which none of our engines speaks to.
 */
const computes: Readonly<Record<'display' | 'accelerator', readonly DeviceVendor[]>> = {
  display: ['nvidia', 'amd', 'intel'],
  accelerator: ['nvidia', 'amd'],
};

/** Display devices and accelerators on the PCI bus, whether or not they have a driver. Linux only. */
export async function askSysfs({ platform, files }: DiscoverySystem): Promise<SourceReport> {
  if (platform !== 'linux') return notThere(`there is no sysfs on ${platform}`);
  const addresses = await files.list(FOLDER);
  if (addresses === undefined) return notThere(`there is no ${FOLDER}`);
  const sightings: Sighting[] = [];
  const others: string[] = [];
  for (const address of addresses.toSorted()) {
    const found = await readDevice(files, address);
    if (found === undefined) continue;
    if (typeof found === 'string') others.push(found);
    else sightings.push(found);
  }
  const detail = `${countDevices(sightings.length)} among ${addresses.length} on the PCI bus`;
  return answered(sightings, [detail, ...others].join('; '));
}

/** @returns undefined for what is no display device or accelerator, and a sentence for one that does not compute */
async function readDevice(files: FileView, folder: string): Promise<Sighting | string | undefined> {
  const at = (name: string) => `${FOLDER}/${folder}/${name}`;
  const classId = parsePciId(await files.readText(at('class')));
  const kind = classId === undefined ? undefined : kindOf(classId);
  const pciAddress = normalizePciAddress(folder);
  if (kind === undefined || classId === undefined || pciAddress === undefined) return undefined;
  const vendorId = parsePciId(await files.readText(at('vendor')));
  const deviceId = parsePciId(await files.readText(at('device')));
  const vendor = vendorId === undefined ? 'other' : vendorOfPciId(vendorId);
  if (!computes[kind].includes(vendor)) {
    const shown = vendorId === undefined ? 'unknown vendor' : `vendor ${formatPciId(vendorId)}`;
    return `left out ${pciAddress}, ${kind === 'display' ? 'a display device' : 'an accelerator'} of ${shown}`;
  }
  const gaps: string[] = [];
  const memoryBytes = vendor === 'amd' ? await readMemory(files, at('mem_info_vram_total'), gaps) : undefined;
  const facts = {
    pciClass: `0x${classId.toString(16).padStart(6, '0')}`,
    pciVendor: vendorId === undefined ? undefined : formatPciId(vendorId),
    pciDevice: deviceId === undefined ? undefined : formatPciId(deviceId),
    kernelDriver: cleanText((await files.linkTarget(at('driver'))) ?? ''),
  };
  const name = cleanText((await files.readText(at('product_name'))) ?? '');
  return {
    source: 'sysfs',
    class: 'gpu',
    vendor,
    pciAddress,
    ...given({ name, memoryBytes }),
    facts: given(facts),
    gaps,
  };
}

function kindOf(classId: number): keyof typeof computes | undefined {
  if (classId >>> 16 === DISPLAY) return 'display';
  return classId >>> 8 === ACCELERATOR ? 'accelerator' : undefined;
}

/** amdgpu alone tells it; it fails while a device sleeps. */
async function readMemory(files: FileView, path: string, gaps: string[]): Promise<number | undefined> {
  try {
    const text = await files.readText(path);
    if (text === undefined) return undefined;
    const bytes = Number(text);
    if (/^\d{1,15}$/.test(text) && bytes > 0) return bytes;
    gaps.push('memory: rubbish');
  } catch (error) {
    gaps.push(`memory: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}
