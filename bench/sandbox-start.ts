import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toLatentError } from '@latent/protocol';
import { aimAtMost, type Benchmark, type BenchmarkOptions, type Table } from './harness/benchmark.ts';
import { percentile, spread, spreadColumns } from './harness/percentile.ts';
import {
  bareBubblewrap,
  dockerRun,
  driverMethod,
  plainShell,
  type StartMethod,
} from './sandbox-start/start-methods.ts';
import { type StartTimes, timeStart } from './sandbox-start/time-start.ts';

const RUNS = 50;
const WARM_UP = 3;
const AIM_MS = 50;
/** How much longer than `docker run` the driver may take. */
const AIM_TIMES_DOCKER_RUN = 1.1;

/** How long it takes an agent to get a job going. */
export const sandboxStart: Benchmark = {
  name: 'sandbox-start',
  summary:
    'from the start of a job to its first byte and to its end, by driver, beside a bare process and bare bubblewrap',
  async run(options) {
    const { runs = RUNS, signal, onProgress } = options;
    const { methods, missing } = await findMethods(options);
    const folder = await mkdtemp(join(tmpdir(), 'latent-bench-'));
    const times = new Map<string, StartTimes[]>(methods.map(({ name }) => [name, []]));
    try {
      for (let run = -WARM_UP; run < runs; run += 1) {
        if (run % 10 === 0) onProgress(`run ${run} of ${runs}`);
        // They take turns, each run in another order, so that a disturbance, and what one leaves behind, meets all alike.
        const first = (run + WARM_UP) % methods.length;
        for (const [index, method] of [...methods.slice(first), ...methods.slice(0, first)].entries()) {
          signal.throwIfAborted();
          const timed = await timeStart(method, join(folder, `${run + WARM_UP}-${index}`), signal);
          if (run >= 0) times.get(method.name)?.push(timed);
        }
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const table = (title: string, of: (timed: StartTimes) => number): Table => ({
      title,
      columns: spreadColumns('ms'),
      rows: [...times].map(([name, values]) => ({ name, figures: spread(values.map(of)) })),
    });
    const firstByte = (name: string) => percentile(times.get(name)?.map((timed) => timed.firstByte) ?? [], 50);
    const sandboxed = firstByte('driver sandbox');
    const [contained, plain] = [firstByte('driver docker'), firstByte('docker run')];
    return {
      tables: [
        table('Until the script’s first byte', ({ firstByte: at }) => at),
        table('Until its end is known', ({ ended }) => ended),
        table('Until the start has returned', ({ returned }) => returned),
      ],
      aims: [
        ...(sandboxed === null ? [] : [aimAtMost('driver sandbox, first byte, p50', sandboxed, AIM_MS, 'ms')]),
        ...(contained === null || plain === null
          ? []
          : [aimAtMost('driver docker, first byte, p50', contained, plain * AIM_TIMES_DOCKER_RUN, 'ms')]),
      ],
      notes: [
        `${runs} runs of each after ${WARM_UP} to warm up, taking turns in changing order. The first byte is read from a named pipe, not through the driver.`,
        'spawn bwrap: all namespaces over the machine’s own root, no limits, nothing kept for a restart.',
        'docker run and driver docker: the same image and network of the engine that LATENT_BENCH_DOCKER names, as socket,image,network.',
        'A driver also writes the job down for a restart of the agent, sets limits and keeps the output; both drivers are taken as the agent takes them.',
        ...missing,
      ],
    };
  },
};

/** What works on this machine, and why the rest does not. */
async function findMethods({ signal, onProgress }: BenchmarkOptions) {
  const methods: StartMethod[] = [plainShell];
  const missing: string[] = [];
  for (const name of ['sandbox', 'process'] as const) {
    try {
      const method = await driverMethod(name, signal);
      methods.push(...(name === 'sandbox' ? [bareBubblewrap, method] : [method]));
    } catch (thrown) {
      signal.throwIfAborted();
      const why = `Not measured, driver ${name}: ${toLatentError(thrown).message}`;
      onProgress(why);
      missing.push(why);
    }
  }
  const [socket = '', image = '', network = 'bridge'] = (process.env['LATENT_BENCH_DOCKER'] ?? '').split(',');
  if (image === '') {
    missing.push('Not measured, driver docker: LATENT_BENCH_DOCKER names no engine.');
  } else {
    const engine = { socket, image, network };
    methods.push(dockerRun(engine), await driverMethod('docker', signal, engine));
  }
  return { methods, missing };
}
