import type { Sighting, SourceReport } from '../device.ts';
import type { DiscoverySystem, NativeFunction, NativeLibrary } from '../discovery-system.ts';
import { given } from '../given.ts';
import { cell, readCString, readMemoryBytes, readUint32, readUint64 } from '../native-values.ts';
import { openNvidiaLibrary } from '../open-library.ts';
import { formatPciId, normalizePciAddress } from '../pci.ts';
import { answered, countDevices, notMeasured, notThere } from '../reports.ts';

const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  linux: [
    'libnvidia-ml.so.1',
    '/usr/lib/wsl/lib/libnvidia-ml.so.1',
    '/usr/local/nvidia/lib64/libnvidia-ml.so.1',
    '/run/opengl-driver/lib/libnvidia-ml.so.1',
  ],
  win32: ['nvml.dll'],
};

/** More than fit into any machine; a count beyond it is rubbish. */
const MOST_DEVICES = 64;

const SUCCESS = 0;
const DRIVER_NOT_LOADED = 9;

/** nvmlReturn_t, in words. Source: NVML API reference, "Device Enums". */
const meanings: Readonly<Record<number, string>> = {
  1: 'not initialized',
  2: 'invalid argument',
  3: 'not supported',
  4: 'no permission',
  6: 'not found',
  7: 'buffer too small',
  8: 'external power cables are not attached',
  9: 'driver not loaded',
  10: 'timeout',
  11: 'interrupt problem',
  12: 'library not found',
  13: 'function not found',
  15: 'the device has fallen off the bus',
  16: 'reset required',
  17: 'blocked by the operating system',
  18: 'library and driver are of different versions',
  999: 'unknown error',
};

/** Handles are pointers, which go as 64-bit numbers in all calling conventions that matter. */
const prototypes = {
  init: 'int nvmlInit_v2()',
  shutdown: 'int nvmlShutdown()',
  driverVersion: 'int nvmlSystemGetDriverVersion(_Out_ uint8_t *text, uint32_t size)',
  count: 'int nvmlDeviceGetCount_v2(_Out_ uint8_t *count)',
  handle: 'int nvmlDeviceGetHandleByIndex_v2(uint32_t index, _Out_ uint8_t *handle)',
  name: 'int nvmlDeviceGetName(uint64_t handle, _Out_ uint8_t *text, uint32_t size)',
  uuid: 'int nvmlDeviceGetUUID(uint64_t handle, _Out_ uint8_t *text, uint32_t size)',
  serial: 'int nvmlDeviceGetSerial(uint64_t handle, _Out_ uint8_t *text, uint32_t size)',
  memory: 'int nvmlDeviceGetMemoryInfo(uint64_t handle, _Out_ uint8_t *memory)',
  pci: 'int nvmlDeviceGetPciInfo_v3(uint64_t handle, _Out_ uint8_t *pci)',
  mig: 'int nvmlDeviceGetMigMode(uint64_t handle, _Out_ uint8_t *now, _Out_ uint8_t *pending)',
  utilization: 'int nvmlDeviceGetUtilizationRates(uint64_t handle, _Out_ uint8_t *rates)',
} as const;
type Nvml = Readonly<Record<keyof typeof prototypes, NativeFunction>>;

/** NVIDIA's devices, by its management library. Needs no device to be free, and takes no memory of it. */
export async function askNvml(system: DiscoverySystem): Promise<SourceReport> {
  const opened = await openNvidiaLibrary(system, LIBRARIES);
  if ('refusal' in opened) return opened.refusal;
  const nvml = bind(opened.library);
  if (nvml === undefined) return notMeasured(`${opened.library.path} is no NVML of version 2 or later`);
  const code = await nvml.init();
  if (code === DRIVER_NOT_LOADED) return notThere(`nvmlInit: ${explain(code)}`, code);
  if (code !== SUCCESS) return notMeasured(`nvmlInit: ${explain(code)}`, code);
  try {
    return await enumerate(nvml);
  } finally {
    await nvml.shutdown();
  }
}

function bind(library: NativeLibrary): Nvml | undefined {
  const find = (name: keyof typeof prototypes) => library.find(prototypes[name]);
  const [init, shutdown, count, handle] = [find('init'), find('shutdown'), find('count'), find('handle')];
  if (init === undefined || shutdown === undefined || count === undefined || handle === undefined) return undefined;
  const absent: NativeFunction = async () => 13;
  const orAbsent = (name: keyof typeof prototypes) => find(name) ?? absent;
  return {
    init,
    shutdown,
    count,
    handle,
    driverVersion: orAbsent('driverVersion'),
    name: orAbsent('name'),
    uuid: orAbsent('uuid'),
    serial: orAbsent('serial'),
    memory: orAbsent('memory'),
    pci: orAbsent('pci'),
    mig: orAbsent('mig'),
    utilization: orAbsent('utilization'),
  };
}

async function enumerate(nvml: Nvml): Promise<SourceReport> {
  const counted = cell(4);
  const code = await nvml.count(counted);
  if (code !== SUCCESS) return notMeasured(`nvmlDeviceGetCount: ${explain(code)}`, code);
  const count = readUint32(counted);
  if (count > MOST_DEVICES) return notMeasured(`NVML counts ${count} devices, which cannot be`);
  const version = cell(96);
  const driverVersion =
    (await nvml.driverVersion(version, version.length)) === SUCCESS ? readCString(version) : undefined;
  const sightings: Sighting[] = [];
  const lost: string[] = [];
  for (let index = 0; index < count; index++) {
    const handle = cell(8);
    const handleCode = await nvml.handle(index, handle);
    if (handleCode === SUCCESS) sightings.push(await readDevice(nvml, readUint64(handle), driverVersion));
    else lost.push(`device ${index} cannot be asked: ${explain(handleCode)}`);
  }
  return answered(sightings, [countDevices(count), ...lost].join('; '));
}

async function readDevice(nvml: Nvml, handle: bigint, driverVersion: string | undefined): Promise<Sighting> {
  const gaps: string[] = [];
  const read = async <Value>(
    what: string,
    buffer: Uint8Array,
    code: Promise<number>,
    decode: (bytes: Uint8Array) => Value | undefined,
  ): Promise<Value | undefined> => {
    const returned = await code;
    const value = returned === SUCCESS ? decode(buffer) : undefined;
    if (value === undefined) gaps.push(`${what}: ${returned === SUCCESS ? 'rubbish' : explain(returned)}`);
    return value;
  };
  const text = (what: string, call: NativeFunction) => {
    const buffer = cell(96);
    return read(what, buffer, call(handle, buffer, buffer.length), readCString);
  };
  const bytes = <Value>(
    what: string,
    size: number,
    call: NativeFunction,
    decode: (of: Uint8Array) => Value | undefined,
  ) => {
    const buffer = cell(size);
    return read(what, buffer, call(handle, buffer), decode);
  };
  const name = await text('name', nvml.name);
  const uuid = await text('uuid', nvml.uuid);
  const serial = await text('serial', nvml.serial);
  const memoryBytes = await bytes('memory', 24, nvml.memory, readMemoryBytes);
  const pci = await bytes('pci', 68, nvml.pci, readPci);
  const busyPercent = await bytes('utilization', 8, nvml.utilization, readPercent);
  const pending = cell(4);
  const mig = await bytes('mig', 4, (of, now) => nvml.mig(of ?? 0, now ?? 0, pending), readMigMode);
  return {
    source: 'nvml',
    class: 'gpu',
    vendor: 'nvidia',
    ...given({ name, uuid, memoryBytes, driverVersion, pciAddress: pci?.address }),
    facts: given({ serial, mig, busyPercent, pciVendor: pci?.vendor, pciDevice: pci?.device }),
    gaps,
  };
}

/** nvmlPciInfo_t: 16 bytes of the old address, domain, bus, device, ids (device << 16 | vendor), subsystem, 32 bytes of address. */
function readPci(bytes: Uint8Array): { address: string; vendor: string; device: string } | undefined {
  const address = normalizePciAddress(readCString(bytes.subarray(36, 68)) ?? '');
  if (address === undefined) return undefined;
  const ids = readUint32(bytes, 28);
  return { address, vendor: formatPciId(ids & 0xffff), device: formatPciId(ids >>> 16) };
}

function readPercent(bytes: Uint8Array): number | undefined {
  const percent = readUint32(bytes);
  return percent <= 100 ? percent : undefined;
}

function readMigMode(bytes: Uint8Array): 'on' | 'off' | undefined {
  const mode = readUint32(bytes);
  if (mode > 1) return undefined;
  return mode === 1 ? 'on' : 'off';
}

function explain(code: number): string {
  return `${meanings[code] ?? 'unknown return code'} (${code})`;
}
