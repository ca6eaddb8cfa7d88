import type { Sighting, SourceReport } from '../device.ts';
import type { DiscoverySystem, NativeFunction, NativeLibrary } from '../discovery-system.ts';
import { given } from '../given.ts';
import { cell, readCString, readMemoryBytes, readUint32, readUint64 } from '../native-values.ts';
import { openLibrary } from '../open-library.ts';
import { formatPciAddress } from '../pci.ts';
import { createCellReader } from '../read-cells.ts';
import { answered, countDevices, notMeasured, notThere } from '../reports.ts';

/** ROCm SMI, of the versions 5 to 7. AMD means to replace it by amd-smi, whose structures change from version to version. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: [
    'librocm_smi64.so.7',
    'librocm_smi64.so.1',
    'librocm_smi64.so.6',
    'librocm_smi64.so.5',
    '/opt/rocm/lib/librocm_smi64.so',
  ],
};

const MOST_DEVICES = 64;
const SUCCESS = 0;
const VRAM = 0;
const SOFTWARE_DRIVER = 0;

const prototypes = {
  init: 'int rsmi_init(uint64_t flags)',
  shutdown: 'int rsmi_shut_down()',
  count: 'int rsmi_num_monitor_devices(_Out_ uint8_t *count)',
  name: 'int rsmi_dev_name_get(uint32_t device, _Out_ uint8_t *text, size_t size)',
  pci: 'int rsmi_dev_pci_id_get(uint32_t device, _Out_ uint8_t *id)',
  memory: 'int rsmi_dev_memory_total_get(uint32_t device, uint32_t kind, _Out_ uint8_t *bytes)',
  uniqueId: 'int rsmi_dev_unique_id_get(uint32_t device, _Out_ uint8_t *id)',
  busy: 'int rsmi_dev_busy_percent_get(uint32_t device, _Out_ uint8_t *percent)',
  version: 'int rsmi_version_str_get(uint32_t component, _Out_ uint8_t *text, uint32_t size)',
} as const;
type Rocm = Readonly<Record<keyof typeof prototypes, NativeFunction>>;

/** AMD's devices, by ROCm's management library, where there is one; sysfs tells of them everywhere on Linux. */
export async function askRocm(system: DiscoverySystem): Promise<SourceReport> {
  if (system.platform === 'linux' && !(await system.files.exists('/sys/module/amdgpu'))) {
    return notThere('the kernel module amdgpu is not loaded; the library was not started');
  }
  const opened = await openLibrary(system, LIBRARIES);
  if ('refusal' in opened) return opened.refusal;
  const rocm = bind(opened.library);
  if (rocm === undefined) return notMeasured(`${opened.library.path} lacks functions of ROCm SMI`);
  const code = await rocm.init(0n);
  if (code !== SUCCESS) return notMeasured(`rsmi_init returned ${code}`, code);
  try {
    return await enumerate(rocm);
  } finally {
    await rocm.shutdown();
  }
}

function bind(library: NativeLibrary): Rocm | undefined {
  const find = (name: keyof typeof prototypes) => library.find(prototypes[name]);
  const [init, shutdown, count, pci] = [find('init'), find('shutdown'), find('count'), find('pci')];
  const [name, memory, uniqueId, busy, version] = [
    find('name'),
    find('memory'),
    find('uniqueId'),
    find('busy'),
    find('version'),
  ];
  if (init === undefined || shutdown === undefined || count === undefined || pci === undefined) return undefined;
  if (name === undefined || memory === undefined || uniqueId === undefined) return undefined;
  if (busy === undefined || version === undefined) return undefined;
  return { init, shutdown, count, name, pci, memory, uniqueId, busy, version };
}

async function enumerate(rocm: Rocm): Promise<SourceReport> {
  const counted = cell(4);
  const code = await rocm.count(counted);
  if (code !== SUCCESS) return notMeasured(`rsmi_num_monitor_devices returned ${code}`, code);
  const count = readUint32(counted);
  if (count > MOST_DEVICES) return notMeasured(`ROCm counts ${count} devices, which cannot be`);
  const version = cell(128);
  const versionCode = await rocm.version(SOFTWARE_DRIVER, version, version.length);
  const driverVersion = versionCode === SUCCESS ? readCString(version) : undefined;
  const sightings: Sighting[] = [];
  for (let index = 0; index < count; index++) sightings.push(await readDevice(rocm, index, driverVersion));
  return answered(sightings, countDevices(count));
}

async function readDevice(rocm: Rocm, index: number, driverVersion: string | undefined): Promise<Sighting> {
  const { read, gaps } = createCellReader();
  const name = await read('name', 128, (buffer) => rocm.name(index, buffer, BigInt(buffer.length)), readCString);
  const pciAddress = await read('pci', 8, (buffer) => rocm.pci(index, buffer), readBdf);
  const memoryBytes = await read('memory', 8, (buffer) => rocm.memory(index, VRAM, buffer), readMemoryBytes);
  const uniqueId = await read('unique id', 8, (buffer) => rocm.uniqueId(index, buffer), readHexId);
  const busyPercent = await read('utilization', 4, (buffer) => rocm.busy(index, buffer), readPercent);
  return {
    source: 'rocm',
    class: 'gpu',
    vendor: 'amd',
    ...given({ name, pciAddress, memoryBytes, driverVersion }),
    facts: given({ uniqueId, busyPercent }),
    gaps,
  };
}

/** Domain in the upper 32 bits, then bus (8), device (5), function (3) at the bottom; bits 28 to 31 number a partition. */
function readBdf(bytes: Uint8Array): string {
  const id = readUint64(bytes);
  const part = (shift: bigint, mask: bigint) => Number((id >> shift) & mask);
  return formatPciAddress(part(32n, 0xffff_ffffn), part(8n, 0xffn), part(3n, 0x1fn), part(0n, 7n));
}

function readHexId(bytes: Uint8Array): string | undefined {
  const id = readUint64(bytes);
  return id === 0n ? undefined : `0x${id.toString(16)}`;
}

function readPercent(bytes: Uint8Array): number | undefined {
  const percent = readUint32(bytes);
  return percent <= 100 ? percent : undefined;
}
