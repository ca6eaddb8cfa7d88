import { LatentError } from '@latent/protocol';
import { toHex } from '../../spec/bytes.ts';
import { checkCuda } from './cuda-failure.ts';
import { type CudaDriver, loadCudaDriver } from './driver.ts';

/** What a device says of itself. Nothing here is proven. */
export interface CudaDevice {
  /** Its number for CUDA in this process; `CUDA_VISIBLE_DEVICES` changes it. */
  readonly index: number;
  readonly name: string;
  /** As `nvidia-smi` writes it: `GPU-` and 8-4-4-4-12 hexadecimal digits. */
  readonly uuid: string;
  /** Domain, bus, device: `0000:01:00.0`. */
  readonly pciId: string;
  readonly memoryBytes: number;
  /** Compute capability, as major and minor number. */
  readonly capability: readonly [number, number];
  readonly multiprocessors: number;
  readonly clockKhz: number;
  /** Most shared memory that one block can have. */
  readonly sharedBytes: number;
  /** Whether all blocks of a launch can be made to run at once. */
  readonly cooperative: boolean;
}

export interface CudaLibraryOptions {
  /** Names or paths of the driver's library; default: where it is on this platform. */
  readonly libraries?: readonly string[];
}

/** CUdevice_attribute. Source: CUDA Driver API reference. */
const ATTRIBUTES = {
  clockKhz: 13,
  multiprocessors: 16,
  major: 75,
  minor: 76,
  cooperative: 95,
  sharedBytes: 97,
} as const;

/**
 * The devices that CUDA shows to this process. Takes none of their memory.
 * @throws LatentError DEVICE_UNAVAILABLE if there is no driver, or it refuses
 */
export async function listCudaDevices({ libraries }: CudaLibraryOptions = {}): Promise<readonly CudaDevice[]> {
  const driver = await loadCudaDriver(libraries);
  return readCudaDevices(driver);
}

/** As `listCudaDevices`, with a driver that is loaded. */
export async function readCudaDevices(driver: CudaDriver): Promise<readonly CudaDevice[]> {
  checkCuda(driver, await driver.init(), 'start');
  const count = new Int32Array(1);
  checkCuda(driver, driver.deviceCount(count), 'count devices');
  return Array.from({ length: count[0] ?? 0 }, (_, index) => readDevice(driver, index));
}

/**
 * @param wanted number, UUID or PCI id
 * @throws LatentError DEVICE_UNKNOWN if there is no such device
 */
export function findCudaDevice(devices: readonly CudaDevice[], wanted: number | string): CudaDevice {
  const found = devices.find(({ index, uuid, pciId }) =>
    typeof wanted === 'number' ? index === wanted : same(uuid, wanted) || same(pciId, wanted),
  );
  if (found !== undefined) return found;
  const known = devices.map(({ index, name, uuid }) => `${index}: ${name}, ${uuid}`);
  throw new LatentError('DEVICE_UNKNOWN', `CUDA shows no device ${wanted} to this process.`, {
    hint: known.length === 0 ? 'It shows none at all.' : `It shows ${known.join('; ')}.`,
    details: { wanted, devices: known },
  });
}

function readDevice(driver: CudaDriver, index: number): CudaDevice {
  const handle = new Int32Array(1);
  checkCuda(driver, driver.deviceGet(handle, index), `find device ${index}`);
  const [device = 0] = handle;
  const attribute = (name: keyof typeof ATTRIBUTES) => {
    const value = new Int32Array(1);
    checkCuda(driver, driver.deviceAttribute(value, ATTRIBUTES[name], device), `tell the ${name} of a device`);
    return value[0] ?? 0;
  };
  const text = Buffer.alloc(256);
  checkCuda(driver, driver.deviceName(text, text.length, device), 'tell the name of a device');
  const name = textOf(text);
  checkCuda(driver, driver.devicePciId(text, text.length, device), 'tell the PCI id of a device');
  const pciId = textOf(text).toLowerCase();
  const uuid = new Uint8Array(16);
  checkCuda(driver, driver.deviceUuid(uuid, device), 'tell the UUID of a device');
  const bytes = new BigUint64Array(1);
  checkCuda(driver, driver.deviceMemory(bytes, device), 'tell the memory of a device');
  return {
    index,
    name,
    uuid: formatUuid(uuid),
    pciId,
    memoryBytes: Number(bytes[0]),
    capability: [attribute('major'), attribute('minor')],
    multiprocessors: attribute('multiprocessors'),
    clockKhz: attribute('clockKhz'),
    sharedBytes: attribute('sharedBytes'),
    cooperative: attribute('cooperative') === 1,
  };
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end).trim();
}

function formatUuid(uuid: Uint8Array): string {
  const hex = toHex(uuid).slice(2);
  return `GPU-${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
