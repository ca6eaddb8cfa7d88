import { randomBytes } from 'node:crypto';
import {
  bytesReadOf,
  type ChallengeResult,
  type Kernel,
  layerBytes,
  loadKernel,
  operationsOf,
  type PhaseTimesMs,
  type ProofHeader,
  parameterSets,
  runChallenge,
  verifyProof,
} from '@latent/proof';
import { createProver, openCpuEngine } from '@latent/proof/provers';
import { aimAtMost, type Benchmark, type BenchmarkOptions, type Row } from './harness/benchmark.ts';
import { percentile, spread, spreadColumns } from './harness/percentile.ts';
import { proofBytes } from './proof/proof-bytes.ts';

const { production } = parameterSets;

/** Four layers: what verifying costs does not depend on their number, but for a few tree nodes. */
const LAYERS = 4;
const RUNS = 20;

/** 32-bit instructions of one keccak-f on a GPU with three-input logic: 24 rounds of 180. */
const OPERATIONS_PER_KECCAK = 24 * 180;

/** Paper figures: dense int8 operations per second, memory in bytes, bytes per second. Sources: docs/reference/devices.md. */
const devices = [
  { name: 'RTX 3090', operationsPerSecond: 284e12, memoryBytes: 24 * 2 ** 30, bytesPerSecond: 936e9 },
  { name: 'RTX 4090', operationsPerSecond: 661e12, memoryBytes: 24 * 2 ** 30, bytesPerSecond: 1008e9 },
  { name: 'H100 SXM', operationsPerSecond: 1979e12, memoryBytes: 80 * 1e9, bytesPerSecond: 3350e9 },
  { name: 'H200 SXM', operationsPerSecond: 1979e12, memoryBytes: 141 * 1e9, bytesPerSecond: 4800e9 },
];

/** What a proof costs: to make on this processor, to send, to verify; beside Freivalds' check. */
export const proof: Benchmark = {
  name: 'proof',
  summary: 'a production-size proof: made on this CPU, verified on one core, beside the check of Freivalds',
  async run(options) {
    const kernel = await loadKernel();
    options.onProgress(`a proof of ${LAYERS} layers of the production set, on all cores: about two minutes`);
    const made = await makeProof(kernel, options);
    const header = made.header;
    if (header === undefined || made.proof === undefined || made.times === undefined) {
      throw new Error(
        `the proof was not good: ${JSON.stringify(made.verdict, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
      );
    }
    options.onProgress('verifying it');
    const verifying = await timeVerifying(kernel, made.proof, options);
    const sampling = timeSamples(kernel, options);
    options.onProgress('one layer by the check of Freivalds');
    const freivaldsMs = timeFreivalds(kernel, options.signal);
    const verifierOperations = 2 * production.samples * samplesWork().keccaks * OPERATIONS_PER_KECCAK;
    return {
      tables: [
        {
          title: 'Making it, on all cores of this machine',
          columns: makingColumns,
          rows: [makingRow(header, made.times, made.proof.length)],
        },
        {
          title: 'Verifying, one core',
          columns: spreadColumns('ms'),
          rows: [
            { name: `whole proof, ${2 * production.samples} samples`, figures: spread(verifying) },
            { name: 'weights and sums of 64 samples', figures: spread(sampling) },
            { name: 'Freivalds, one layer of one pass, at least', figures: spread([freivaldsMs]) },
          ],
        },
        {
          title: 'By device, at its paper figures (computed, not measured)',
          columns: deviceColumns,
          rows: devices.map((device) => deviceRow(device, verifierOperations)),
        },
      ],
      aims: [
        aimAtMost('64 samples, p50', percentile(sampling, 50) ?? Number.NaN, 300, 'ms'),
        aimAtMost(
          'a proof of the largest device listed',
          Math.max(...devices.map((device) => deviceBytes(device))) / 1e6,
          0.7,
          'MB',
        ),
        aimAtMost("verifier's share of an H200's work", (1e6 * verifierOperations) / (1979e12 * 20), 1, '10⁻⁶'),
      ],
      notes: [
        `The proof verified is of ${LAYERS} layers (${made.proof.length} bytes): tree nodes apart, the same work as for any number of layers.`,
        `A sample is ${samplesWork().keccaks} keccaks and ${2 * production.width * production.gates} operations; a keccak is counted as ${OPERATIONS_PER_KECCAK} operations on 32 bits.`,
        'Freivalds: the weights of one whole layer derived and multiplied by one vector of 4-bit values. A sound check takes a vector modulo a prime of 31 bits or more, which is dearer, and the whole output of the layer (8 MiB), which the prover would have to send. It checks one of the layers of one of the passes.',
        "By device: passes that fit into 20 s of compute and 10 s of bandwidth at the paper's figures and 93 % of the memory; length from docs/proof.md, section 9, for one draw of samples.",
      ],
    };
  },
};

const makingColumns = [
  { name: 'compute', unit: 'GOPS' },
  { name: 'memory', unit: 'MiB' },
  { name: 'bandwidth', unit: 'GB/s' },
  { name: 'proof', unit: 'bytes' },
];

const deviceColumns = [
  { name: 'layers', unit: '1' },
  { name: 'compute passes', unit: '1' },
  { name: 'bandwidth passes', unit: '1' },
  { name: 'proof', unit: 'MB' },
  { name: "verifier's operations", unit: '10⁻⁶ of the prover' },
];

async function makeProof(kernel: Kernel, { signal }: BenchmarkOptions): Promise<ChallengeResult> {
  const engine = await openCpuEngine();
  try {
    return await runChallenge({
      prover: createProver(engine, kernel.hash),
      kernel,
      parameters: production,
      context: randomBytes(32),
      drawBeacon: async () => new Uint8Array(randomBytes(32)),
      nowMs: () => performance.now(),
      layers: LAYERS,
      signal,
    });
  } finally {
    await engine.close();
  }
}

function makingRow(header: ProofHeader, times: PhaseTimesMs, bytes: number): Row {
  return {
    name: `${LAYERS} layers`,
    figures: [
      Number(operationsOf(header)) / times.compute / 1e6,
      (layerBytes(production) * LAYERS) / 2 ** 20,
      Number(bytesReadOf(header)) / times.bandwidth / 1e6,
      bytes,
    ],
  };
}

async function timeVerifying(
  kernel: Kernel,
  bytes: Uint8Array,
  { runs = RUNS, signal }: BenchmarkOptions,
): Promise<readonly number[]> {
  const times: number[] = [];
  await verifyProof(kernel, bytes, { signal });
  for (let run = 0; run < runs; run += 1) {
    const before = performance.now();
    await verifyProof(kernel, bytes, { signal });
    times.push(performance.now() - before);
  }
  return times;
}

/** 64 samples, weights derived and summed, without the tree. */
function timeSamples(kernel: Kernel, { runs = RUNS, signal }: BenchmarkOptions): readonly number[] {
  const [session, row] = [randomBytes(32), randomBytes(production.width / 2)];
  return Array.from({ length: runs }, () => {
    signal.throwIfAborted();
    const before = performance.now();
    for (let sample = 0; sample < 64; sample += 1) kernel.accumulate(production, session, sample, 31 * sample, row);
    return performance.now() - before;
  });
}

function timeFreivalds(kernel: Kernel, signal: AbortSignal): number {
  const [session, vector] = [randomBytes(32), randomBytes(production.width / 2)];
  const before = performance.now();
  for (let output = 0; output < production.width; output += 1) {
    signal.throwIfAborted();
    kernel.accumulate(production, session, 0, output, vector);
  }
  return performance.now() - before;
}

function samplesWork(): { readonly keccaks: number } {
  return { keccaks: (production.gates * production.width * production.links) / 32 };
}

type Device = (typeof devices)[number];

function shapeOf({ operationsPerSecond, memoryBytes, bytesPerSecond }: Device) {
  const layers = Math.floor((0.93 * memoryBytes) / layerBytes(production) / production.lanes) * production.lanes;
  const bytes = layers * layerBytes(production);
  const compute = Math.ceil((20 * operationsPerSecond) / (2 * production.computeRows * bytes));
  return { layers, passes: { compute, bandwidth: Math.ceil((10 * bytesPerSecond) / bytes) } };
}

function deviceBytes(device: Device): number {
  const { layers, passes } = shapeOf(device);
  return proofBytes(layers, passes);
}

function deviceRow(device: Device, verifierOperations: number): Row {
  const { layers, passes } = shapeOf(device);
  const proverOperations = 2 * production.computeRows * layers * layerBytes(production) * passes.compute;
  const figures = [
    layers,
    passes.compute,
    passes.bandwidth,
    deviceBytes(device) / 1e6,
    (1e6 * verifierOperations) / proverOperations,
  ];
  return { name: device.name, figures };
}
