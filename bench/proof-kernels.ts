import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Kernel, layerBytes, loadKernel, type PhaseName, parameterSets, referenceKernel } from '@latent/proof';
import { type Engine, openCpuEngine } from '@latent/proof/provers';
import { phaseOf } from '@latent/proof/spec';
import { aimAtMost, type Benchmark, type BenchmarkOptions, type Row } from './harness/benchmark.ts';
import { percentile, spread, spreadColumns } from './harness/percentile.ts';

const { cpu, production } = parameterSets;
const ROUNDS = 5;
const SAMPLES = 64;
/** 512 MiB of weights: far more than caches hold. */
const LAYERS = 128;
const HASHES = 20_000;
const MESSAGE_BYTES = 64;
const BANDWIDTH_PASSES = 10;

/** What the WASM kernels do, for the verifier and in the engine `cpu`. */
export const proofKernels: Benchmark = {
  name: 'proof-kernels',
  summary: 'keccaks, samples, multiplications and reads of the hardware proof in WASM, beside plain TypeScript',
  async run(options) {
    const kernel = await loadKernel();
    options.onProgress('keccak and samples');
    const plain = timeSamples(referenceKernel, 1);
    const samples = timeSamples(kernel, options.runs ?? ROUNDS);
    const hashing = [
      { name: 'WASM, two at a time, within a sample', figures: [rateOf(percentile(samples, 50))] },
      { name: 'WASM, one at a time, called from JavaScript', figures: [hashRate(kernel, options)] },
      { name: '@noble/hashes, called from JavaScript', figures: [hashRate(referenceKernel, options)] },
    ];
    const cores = availableParallelism();
    const engineRows = [];
    for (const threads of cores > 1 ? [1, cores] : [1]) engineRows.push(...(await timeEngine(threads, options)));
    return {
      tables: [
        { title: 'Keccak-f per second of CPU time', columns: [{ name: 'rate', unit: '10⁶/s' }], rows: hashing },
        {
          title: `Weights and sums of ${SAMPLES} samples of the set production, CPU time`,
          columns: spreadColumns('ms'),
          rows: [
            { name: 'WASM', figures: spread(samples) },
            { name: '@noble/hashes and JavaScript', figures: spread(plain) },
          ],
        },
        { title: `The engine cpu at the set cpu, ${LAYERS} layers`, columns: engineColumns, rows: engineRows },
        {
          title: 'Reading memory without computing, one thread',
          columns: [{ name: 'per wall second', unit: 'GB/s' }],
          rows: [{ name: 'a byte that is not there, sought in 512 MiB', figures: [readRate(options)] }],
        },
      ],
      aims: [aimAtMost(`${SAMPLES} samples, p50`, percentile(samples, 50) ?? Number.NaN, 300, 'ms')],
      notes: [
        'CPU time of the process, all threads together: what else runs on the machine matters less to it than to the wall clock, but other threads on the same physical core still do.',
        'Every kernel is warmed up before it is measured.',
        `One at a time: messages of ${MESSAGE_BYTES} bytes, one keccak-f each, with copying in and out.`,
        'GOPS: an addition and a multiplication are two operations. Passes include the digests of all states and the trees over them.',
        `Bandwidth passes: ${cpu.lanes} lanes of ${cpu.laneRows} row; GB are 10⁹ bytes of weights.`,
      ],
    };
  },
};

const engineColumns = [
  { name: 'fill', unit: 'MB/s' },
  { name: 'compute pass', unit: 'GOPS' },
  { name: 'bandwidth passes', unit: 'GB/s' },
];

/** Seconds of CPU time that this process takes for `work`. */
function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** CPU time of each run, in milliseconds. */
function timeSamples(kernel: Kernel, runs: number): readonly number[] {
  const [session, row] = [randomBytes(32), randomBytes(production.width / 2)];
  const sample = (index: number) => kernel.accumulate(production, session, index, 31 * index, row);
  sample(0);
  return Array.from({ length: runs }, () => {
    return 1_000 * cpuSeconds(() => Array.from({ length: SAMPLES }, (_, index) => sample(index)));
  });
}

/** Millions of keccak-f per second, where `SAMPLES` samples take `ms`. */
function rateOf(ms: number | null): number | null {
  const keccaks = (SAMPLES * production.gates * production.width * production.links) / 32;
  return ms === null ? null : keccaks / ms / 1_000;
}

function hashRate({ hash }: Kernel, { runs = ROUNDS, signal }: BenchmarkOptions): number | null {
  const message = randomBytes(MESSAGE_BYTES);
  const round = () => {
    signal.throwIfAborted();
    const seconds = cpuSeconds(() => {
      for (let count = 0; count < HASHES; count += 1) hash(message);
    });
    return HASHES / seconds / 1e6;
  };
  round();
  return percentile(Array.from({ length: runs }, round), 50);
}

async function timeEngine(threads: number, { signal, onProgress }: BenchmarkOptions): Promise<readonly Row[]> {
  const who = threads === 1 ? '1 thread' : `${threads} threads`;
  const engine = await openCpuEngine({ threads });
  const bytes = LAYERS * layerBytes(cpu);
  try {
    onProgress(`the engine with ${who}`);
    const sessionId = new Uint8Array(randomBytes(32));
    // Brings the kernels to their full speed; what it fills is replaced.
    await engine.fill({ parameters: cpu, sessionId, layers: 2 * cpu.lanes, signal });
    const perWallSecond: number[] = [];
    const perCpuSecond: number[] = [];
    const measure = async (amount: number, work: () => Promise<void>) => {
      const [wallBefore, cpuBefore] = [performance.now(), process.cpuUsage()];
      await work();
      const { user, system } = process.cpuUsage(cpuBefore);
      perWallSecond.push((1_000 * amount) / (performance.now() - wallBefore));
      perCpuSecond.push((1e6 * amount) / (user + system));
    };
    await measure(bytes / 1e6, () => engine.fill({ parameters: cpu, sessionId, layers: LAYERS, signal }));
    await runPasses(engine, 'bandwidth', 1, signal);
    await measure((2 * cpu.computeRows * bytes) / 1e9, () => runPasses(engine, 'compute', 1, signal));
    const amountRead = (BANDWIDTH_PASSES * bytes) / 1e9;
    await measure(amountRead, () => runPasses(engine, 'bandwidth', BANDWIDTH_PASSES, signal));
    return [
      { name: `${who}, per wall second`, figures: perWallSecond },
      { name: `${who}, per CPU second`, figures: perCpuSecond },
    ];
  } finally {
    await engine.close();
  }
}

async function runPasses(engine: Engine, name: PhaseName, passes: number, signal: AbortSignal): Promise<void> {
  const phase = phaseOf(cpu, name, LAYERS);
  for (let pass = 0; pass < passes; pass += 1) {
    await engine.runPass({ phase, seed: new Uint8Array(randomBytes(32)), signal });
  }
}

/** What reading alone can be: a search in native code. */
function readRate({ runs = ROUNDS, signal }: BenchmarkOptions): number | null {
  const memory = Buffer.alloc(2 ** 29, 1);
  const round = () => {
    signal.throwIfAborted();
    const before = performance.now();
    if (memory.includes(2)) throw new Error('found what is not there');
    return memory.length / (performance.now() - before) / 1e6;
  };
  round();
  return percentile(Array.from({ length: runs }, round), 50);
}
