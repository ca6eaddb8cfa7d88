import type { Sighting, SourceReport } from '../device.ts';
import type { DiscoverySystem, NativeFunction, NativeLibrary } from '../discovery-system.ts';
import { given } from '../given.ts';
import { cell, readCString, readMemoryBytes, readUint32 } from '../native-values.ts';
import { openNvidiaLibrary } from '../open-library.ts';
import { normalizePciAddress } from '../pci.ts';
import { createCellReader } from '../read-cells.ts';
import { answered, countDevices, notMeasured, notThere } from '../reports.ts';

const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: [
    'libcuda.so.1',
    '/usr/lib/wsl/lib/libcuda.so.1',
    '/usr/local/nvidia/lib64/libcuda.so.1',
    '/run/opengl-driver/lib/libcuda.so.1',
  ],
  win32: ['nvcuda.dll'],
};

const MOST_DEVICES = 64;
const SUCCESS = 0;
const NO_DEVICE = 100;

const prototypes = {
  init: 'int cuInit(uint32_t flags)',
  count: 'int cuDeviceGetCount(_Out_ uint8_t *count)',
  get: 'int cuDeviceGet(_Out_ uint8_t *device, int index)',
  name: 'int cuDeviceGetName(_Out_ uint8_t *text, int size, int device)',
  uuid: 'int cuDeviceGetUuid(_Out_ uint8_t *uuid, int device)',
  memory: 'int cuDeviceTotalMem_v2(_Out_ uint8_t *bytes, int device)',
  pci: 'int cuDeviceGetPCIBusId(_Out_ uint8_t *text, int size, int device)',
  attribute: 'int cuDeviceGetAttribute(_Out_ uint8_t *value, int attribute, int device)',
} as const;
type Cuda = Readonly<Record<keyof typeof prototypes, NativeFunction>>;

/** CUdevice_attribute. Source: CUDA driver API reference, "Data types used by CUDA driver". */
const attributes = { multiprocessors: 16, clockKhz: 13, busWidthBits: 37, computeMajor: 75, computeMinor: 76 } as const;

/**
 * NVIDIA's devices, by the CUDA driver: for containers that got the driver for computing and not the one for managing. It sees
 * what `CUDA_VISIBLE_DEVICES` lets it see, and takes no memory of a device, as no context is made.
 */
export async function askCuda(system: DiscoverySystem): Promise<SourceReport> {
  const opened = await openNvidiaLibrary(system, LIBRARIES);
  if ('refusal' in opened) return opened.refusal;
  const cuda = bind(opened.library);
  if (cuda === undefined) return notMeasured(`${opened.library.path} lacks functions of the CUDA driver`);
  const code = await cuda.init(0);
  if (code === NO_DEVICE) return notThere('cuInit: no device', code);
  if (code !== SUCCESS) return notMeasured(`cuInit returned ${code}`, code);
  const counted = cell(4);
  const countCode = await cuda.count(counted);
  const count = readUint32(counted);
  if (countCode !== SUCCESS) return notMeasured(`cuDeviceGetCount returned ${countCode}`, countCode);
  if (count > MOST_DEVICES) return notMeasured(`CUDA counts ${count} devices, which cannot be`);
  const sightings: Sighting[] = [];
  for (let index = 0; index < count; index++) {
    const device = cell(4);
    if ((await cuda.get(device, index)) === SUCCESS) sightings.push(await readDevice(cuda, readUint32(device)));
  }
  const lost = count - sightings.length;
  return answered(sightings, `${countDevices(count)}${lost === 0 ? '' : `, ${lost} of them cannot be asked`}`);
}

function bind(library: NativeLibrary): Cuda | undefined {
  const find = (name: keyof typeof prototypes) => library.find(prototypes[name]);
  const [init, count, get, name] = [find('init'), find('count'), find('get'), find('name')];
  const [uuid, memory, pci, attribute] = [find('uuid'), find('memory'), find('pci'), find('attribute')];
  if (init === undefined || count === undefined || get === undefined || name === undefined) return undefined;
  if (uuid === undefined || memory === undefined || pci === undefined || attribute === undefined) return undefined;
  return { init, count, get, name, uuid, memory, pci, attribute };
}

async function readDevice(cuda: Cuda, device: number): Promise<Sighting> {
  const { read, gaps } = createCellReader();
  const attribute = (name: keyof typeof attributes) =>
    read(name, 4, (buffer) => cuda.attribute(buffer, attributes[name], device), readUint32);
  const name = await read('name', 128, (buffer) => cuda.name(buffer, buffer.length, device), readCString);
  const uuid = await read('uuid', 16, (buffer) => cuda.uuid(buffer, device), formatUuid);
  const memoryBytes = await read('memory', 8, (buffer) => cuda.memory(buffer, device), readMemoryBytes);
  const pciAddress = await read('pci', 32, (buffer) => cuda.pci(buffer, buffer.length, device), readAddress);
  const major = await attribute('computeMajor');
  const minor = await attribute('computeMinor');
  const facts = {
    multiprocessors: await attribute('multiprocessors'),
    clockKhz: await attribute('clockKhz'),
    busWidthBits: await attribute('busWidthBits'),
    computeCapability: major === undefined || minor === undefined ? undefined : `${major}.${minor}`,
  };
  return {
    source: 'cuda',
    class: 'gpu',
    vendor: 'nvidia',
    ...given({ name, uuid, memoryBytes, pciAddress }),
    facts: given(facts),
    gaps,
  };
}

function readAddress(bytes: Uint8Array): string | undefined {
  return normalizePciAddress(readCString(bytes) ?? '');
}

/** 16 bytes, written as NVML and `nvidia-smi` write them. @returns undefined for sixteen zeros, which is no UUID */
function formatUuid(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `GPU-${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`;
}
