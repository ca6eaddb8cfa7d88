import { randomBytes } from 'node:crypto';
import {
  bytesReadOf,
  type ChallengeResult,
  type Kernel,
  layerBytes,
  loadKernel,
  operationsOf,
  type Parameters,
  parameterSets,
  runChallenge,
} from '@latent/proof';
import { createProver, listWebGpuAdapters, openEngine } from '@latent/proof/provers';
import type { Benchmark, BenchmarkOptions, Row } from './harness/benchmark.ts';

/** Software adapters are slower than the processor that they run on: enough layers to see that they work. */
const SOFTWARE_LAYERS = 8;

/** What every device that WebGPU offers here does in a whole challenge, phase by phase. */
export const proofWebgpu: Benchmark = {
  name: 'proof-webgpu',
  summary: 'a whole challenge on each device that WebGPU offers here: operations, memory and its speed',
  async run(options) {
    const kernel = await loadKernel();
    const adapters = await listWebGpuAdapters();
    const names = [...new Set(adapters.map(({ name }) => name))];
    const rows: Row[] = [];
    for (const name of names) rows.push(await challengeRow(kernel, name, options));
    return {
      tables: [
        {
          title: 'Challenges through WebGPU',
          columns: [
            { name: 'compute', unit: 'GOPS' },
            { name: 'memory', unit: 'MiB' },
            { name: 'bandwidth', unit: 'MB/s' },
            { name: 'fill', unit: 'MB/s' },
          ],
          rows,
        },
      ],
      aims: [],
      notes: [
        'Devices get the set production and as many layers as fit into 2 GiB; software adapters the set development and 8 layers.',
        'Compiling the shaders counts as filling.',
        ...(names.length === 0 ? ['WebGPU offers no device here: nothing was measured.'] : []),
      ],
    };
  },
};

async function challengeRow(kernel: Kernel, name: string, { signal, onProgress }: BenchmarkOptions): Promise<Row> {
  onProgress(`a challenge of ${name}`);
  const engine = await openEngine({ kind: 'webgpu', adapter: name });
  try {
    const software = engine.device.class === 'software';
    const parameters = software ? parameterSets.development : parameterSets.production;
    const drawnMs: number[] = [];
    const result = await runChallenge({
      prover: createProver(engine, kernel.hash),
      kernel,
      parameters,
      context: randomBytes(32),
      drawBeacon: async () => {
        drawnMs.push(performance.now());
        return new Uint8Array(randomBytes(32));
      },
      nowMs: () => performance.now(),
      ...(software ? { layers: SOFTWARE_LAYERS, phaseMs: { compute: 3_000, bandwidth: 3_000 } } : {}),
      signal,
    });
    const [fillMs = 0, computeMs = 0] = drawnMs;
    return {
      name: `${engine.device.name}, ${parameters.name}`,
      figures: figuresOf(parameters, result, computeMs - fillMs),
    };
  } finally {
    await engine.close();
  }
}

function figuresOf(parameters: Parameters, { header, times, verdict }: ChallengeResult, fillMs: number): number[] {
  if (verdict.outcome !== 'proven') throw new Error(`the challenge was ${verdict.outcome}: ${verdict.reason}`);
  if (header === undefined || times === undefined) throw new Error('a proven challenge has no times');
  const bytes = layerBytes(parameters) * header.layers;
  return [
    Number(operationsOf(header)) / times.compute / 1e6,
    bytes / 2 ** 20,
    Number(bytesReadOf(header)) / times.bandwidth / 1e3,
    bytes / fillMs / 1e3,
  ];
}
