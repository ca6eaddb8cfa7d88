import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { load } from 'koffi';

/** NVIDIA's driver library as a test double: `kernels/cuda/double`. The kernels' own sources run on an emulator. */
export interface CudaDouble {
  readonly library: string;
  /** So many devices of compute capability 9.0, 3 multiprocessors and 256 MiB; ends all faults. Before an engine opens. */
  readonly devices: (count: number) => void;
  readonly device: (index: number, device: DoubleDevice) => void;
  /** Happens once, after so many such calls that go well. */
  readonly fault: (name: 'memory' | 'launch' | 'lose' | 'ptx', after: number) => void;
  /** How often a kernel was launched; `leaked`: what contexts still held at their end. */
  readonly count: (name: string) => number;
  /** Whether copies and multiplications happen as late as they may; 0 in order, 1 backwards, else a seed to shuffle by. */
  readonly schedule: (copiesLate: boolean, multipliesLate: boolean, order: number) => void;
}

export interface DoubleDevice {
  readonly capability: readonly [number, number];
  readonly multiprocessors?: number;
  readonly sharedBytes?: number;
  readonly cooperative?: boolean;
  readonly memoryMib?: number;
}

const source = fileURLToPath(new URL('../../../kernels/cuda/double/driver.cpp', import.meta.url));
const run = promisify(execFile);

/** Why there can be no double here; undefined if there can. */
export async function whyNoDouble(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'the double is for Linux';
  return run('g++', ['--version']).then(
    () => undefined,
    () => 'no g++',
  );
}

/** Compiles and loads it. */
export async function buildDouble(): Promise<CudaDouble> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-cuda-double-'));
  const library = join(folder, 'libcuda.so');
  const flags = [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    '-fvisibility=hidden',
    '-Wall',
    '-Werror',
    '-Wno-unknown-pragmas',
  ];
  await run('g++', [...flags, '-o', library, source]);
  const handle = load(library);
  const setDevice = handle.func(`void double_device(int, int, int, int, int, int, int)`);
  const schedule = handle.func('void double_schedule(int, int, int)');
  return {
    library,
    devices: handle.func('void double_devices(int)'),
    device: (index, { capability: [major, minor], ...device }) =>
      setDevice(
        index,
        major,
        minor,
        device.multiprocessors ?? 3,
        device.sharedBytes ?? 227 * 1024,
        device.cooperative === false ? 0 : 1,
        device.memoryMib ?? 256,
      ),
    fault: handle.func('void double_fault(const char *, int)'),
    count: handle.func('int double_count(const char *)'),
    schedule: (copiesLate, multipliesLate, order) => schedule(copiesLate ? 1 : 0, multipliesLate ? 1 : 0, order),
  };
}
