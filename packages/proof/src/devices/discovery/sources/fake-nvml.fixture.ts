import type { NativeArgument, NativeLibrary } from '../discovery-system.ts';
import { fakeLibrary, writeText, writeUint32, writeUint64 } from '../fake-system.fixture.ts';

type FakeFunction = (...values: readonly NativeArgument[]) => number;

/** One device as NVML would tell of it. */
export interface FakeNvmlDevice {
  readonly name: string;
  readonly uuid: string;
  readonly memoryMiB: number;
  readonly bus: string;
  /** Device << 16 | vendor. */
  readonly pciIds: number;
}

export const h200: FakeNvmlDevice = {
  name: 'NVIDIA H200',
  uuid: 'GPU-0f3c6a52-9d10-4c2b-8a5e-1b7c2d3e4f50',
  memoryMiB: 143_771,
  bus: '00000000:65:00.0',
  pciIds: 0x233510de,
};

/** NVML with these devices; single functions can be replaced, or taken away by `undefined`. */
export function fakeNvml(
  devices: readonly FakeNvmlDevice[],
  changes: Readonly<Record<string, FakeFunction | undefined>> = {},
): NativeLibrary {
  // Handles are addresses; these are above 2³² so that a handle cut to 32 bits finds no device.
  const base = 0x7f00_0000_0000n;
  const of = (handle: NativeArgument | undefined) => devices[Number(BigInt(Number(handle ?? 0)) - base)];
  const text = (pick: (device: FakeNvmlDevice) => string): FakeFunction => {
    return (handle, target) => {
      const device = of(handle);
      return device === undefined ? 2 : writeText(target, pick(device));
    };
  };
  const functions: Record<string, FakeFunction | undefined> = {
    nvmlInit_v2: () => 0,
    nvmlShutdown: () => 0,
    nvmlSystemGetDriverVersion: (target) => writeText(target, '570.133.20'),
    nvmlDeviceGetCount_v2: (target) => writeUint32(target, devices.length),
    nvmlDeviceGetHandleByIndex_v2: (index, target) => writeUint64(target, base + BigInt(Number(index))),
    nvmlDeviceGetName: text(({ name }) => name),
    nvmlDeviceGetUUID: text(({ uuid }) => uuid),
    nvmlDeviceGetSerial: text(() => '1650423002345'),
    nvmlDeviceGetMemoryInfo: (handle, target) => writeUint64(target, BigInt(of(handle)?.memoryMiB ?? 0) << 20n),
    nvmlDeviceGetPciInfo_v3: (handle, target) => {
      const device = of(handle);
      if (device === undefined || !(target instanceof Uint8Array)) return 2;
      writeUint32(target.subarray(28), device.pciIds);
      return writeText(target.subarray(36), device.bus);
    },
    nvmlDeviceGetMigMode: (_, now, pending) => writeUint32(now, 0) + writeUint32(pending, 1),
    nvmlDeviceGetUtilizationRates: (_, target) => writeUint32(target, 37, 12),
    ...changes,
  };
  const there = Object.entries(functions).flatMap(([name, call]) =>
    call === undefined ? [] : [[name, call] as const],
  );
  return fakeLibrary('libnvidia-ml.so.1', Object.fromEntries(there));
}
