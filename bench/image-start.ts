import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Driver, openImageStore, selectMachineDriver } from '@latent/agent';
import { systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { type ImageRegistry, programsLayer, serveImage } from '../e2e/network/image-registry.ts';
import { aimAtMost, type Benchmark, type BenchmarkOptions, type Measurement } from './harness/benchmark.ts';
import { percentile, spread, spreadColumns } from './harness/percentile.ts';
import { type DockerEngine, imageMethod } from './sandbox-start/start-methods.ts';
import { timeStart } from './sandbox-start/time-start.ts';

const run = promisify(execFile);
const COLD_RUNS = 3;
const WARM_RUNS = 20;
const COLD_AIM_MS = 6_000;
const WARM_AIM_MS = 100;
const START_AIM_MS = 50;
/** As many files, of such a size, as a small image of Debian has; half of each is noise, so that gzip halves them. */
const FILES = 8_500;
const FILE_BYTES = 20_000;
const NAME = 'bench/image';

/** How long it takes until a job runs in an image that the machine has never seen, and in one that it has. */
export const imageStart: Benchmark = {
  name: 'image-start',
  summary: 'an image of 170 MB from a registry on this machine: fetched and unpacked, found again, and started in',
  async run(options) {
    const folder = await mkdtemp(join(tmpdir(), 'latent-bench-'));
    let registry: ImageRegistry | undefined;
    try {
      options.onProgress('making an image');
      const layers = [gzipSync(await programsLayer(['/bin/sh'])), await noiseLayer(folder)];
      registry = await serveImage(NAME, { tag: '1', layers, env: ['PATH=/usr/bin:/bin'] });
      return await measure(folder, `${registry.host}/${NAME}:1`, options);
    } finally {
      await registry?.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(folder: string, image: string, options: BenchmarkOptions): Promise<Measurement> {
  const { runs = WARM_RUNS, signal, onProgress } = options;
  const times = new Map<string, number[]>();
  const note = (name: string, ms: number) => times.set(name, [...(times.get(name) ?? []), ms]);
  let warm: Driver | undefined;
  for (let cold = 0; cold < COLD_RUNS; cold += 1) {
    onProgress(`cold ${cold + 1} of ${COLD_RUNS}`);
    const machine = join(folder, `machine-${cold}`);
    warm = await openDriver(machine, signal);
    note('fetch and unpack', await timePrepare(warm, machine, image, signal));
    for (let again = 0; cold === COLD_RUNS - 1 && again < runs; again += 1) {
      note('find it again', await timePrepare(warm, machine, image, signal));
    }
  }
  if (warm === undefined) throw new LatentError('INTERNAL', 'nothing was measured');
  const lease = { image, imageDir: join(folder, 'lease', 'image') };
  await warm.prepare?.({ jobId: 'bench-lease', ...lease, stateDir: join(folder, 'lease') }, { signal });
  const method = imageMethod(warm, lease);
  for (let start = 0; start < runs; start += 1) {
    onProgress(`start ${start + 1} of ${runs}`);
    const timed = await timeStart(method, join(folder, `start-${start}`), signal);
    note('start in it, to the first byte', timed.firstByte);
  }
  const notes = [`The image has ${FILES} files of ${FILE_BYTES} bytes, and a registry on the same machine.`];
  const engine = dockerEngine();
  if (engine === undefined) notes.push('Not measured, docker: LATENT_BENCH_DOCKER names no engine.');
  else await timeDocker(engine, image, note, signal);
  const aim = (name: string, ms: number) => {
    const p50 = percentile(times.get(name) ?? [], 50);
    return p50 === null ? [] : [aimAtMost(`${name}, p50`, p50, ms, 'ms')];
  };
  return {
    tables: [
      {
        title: 'Image',
        columns: spreadColumns('ms'),
        rows: [...times].map(([name, ms]) => ({ name, figures: spread(ms) })),
      },
    ],
    aims: [
      ...aim('fetch and unpack', COLD_AIM_MS),
      ...aim('find it again', WARM_AIM_MS),
      ...aim('start in it, to the first byte', START_AIM_MS),
    ],
    notes,
  };
}

async function openDriver(machine: string, signal: AbortSignal): Promise<Driver> {
  await mkdir(machine, { recursive: true });
  const images = await openImageStore({
    ...{ folder: join(machine, 'images'), jobs: join(machine, 'jobs'), maxBytes: 2 ** 32, allowLocal: true },
    ...{ access: process.getuid?.() === 0 ? 'anyone' : 'owner', clock: systemClock },
  });
  const wish = { driver: 'sandbox', allowNoIsolation: false } as const;
  return (await selectMachineDriver(wish, { clock: systemClock, signal, images })).driver;
}

let leases = 0;

/** As for a lease that was never here. */
async function timePrepare(driver: Driver, machine: string, image: string, signal: AbortSignal): Promise<number> {
  leases += 1;
  const lease = join(machine, 'jobs', `lease-${leases}`);
  const spec = { jobId: `bench-${leases}`, image, imageDir: join(lease, 'image'), stateDir: lease };
  const before = performance.now();
  await driver.prepare?.(spec, { signal });
  return performance.now() - before;
}

function dockerEngine(): DockerEngine | undefined {
  const [socket = '', image = '', network = 'bridge'] = (process.env['LATENT_BENCH_DOCKER'] ?? '').split(',');
  return image === '' ? undefined : { socket, image, network };
}

async function timeDocker(
  { socket, network }: DockerEngine,
  image: string,
  note: (name: string, ms: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const docker = async (...args: readonly string[]) => {
    const before = performance.now();
    await run('docker', ['--host', `unix://${socket}`, ...args], { signal });
    return performance.now() - before;
  };
  for (let cold = 0; cold < COLD_RUNS; cold += 1) {
    note('docker pull', await docker('pull', image));
    note('docker run of it', await docker('run', '--rm', '--network', network, image, '/bin/sh', '-c', ':'));
    await docker('rmi', image);
  }
}

async function noiseLayer(folder: string): Promise<Buffer> {
  const files = join(folder, 'noise');
  for (let index = 0; index < FILES; index += 1) {
    const parent = join(files, 'opt', String(index % 100));
    if (index < 100) await mkdir(parent, { recursive: true });
    await writeFile(join(parent, `file-${index}`), randomFillSync(Buffer.alloc(FILE_BYTES), 0, FILE_BYTES / 2));
  }
  const archive = join(folder, 'noise.tar.gz');
  await run('tar', ['--create', '--gzip', `--directory=${files}`, `--file=${archive}`, '.']);
  const bytes = await readFile(archive);
  await rm(files, { recursive: true });
  await rm(archive);
  return bytes;
}
