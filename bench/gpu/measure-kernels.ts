import { randomBytes } from 'node:crypto';
import { type Kernel, layerBytes, type Parameters } from '@latent/proof';
import {
  type CudaDevice,
  type CudaEngineOptions,
  createProver,
  openCudaEngine,
  type StepKernel,
} from '@latent/proof/provers';

export interface MeasureOptions {
  readonly options: CudaEngineOptions;
  readonly kernel: Kernel;
  readonly parameters: Parameters;
  readonly layers?: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

export interface KernelFigures {
  readonly stepKernel: StepKernel;
  readonly layers: number;
  /** Driver, context and compilation of the kernels; less when the driver remembers them. */
  readonly openMs: number;
  readonly fillMs: number;
  readonly fillBytesPerSecond: number;
  readonly keccaksPerSecond: number;
  readonly computePassesMs: readonly number[];
  readonly operationsPerSecond: number;
  readonly bandwidthPassesMs: readonly number[];
  readonly bytesPerSecond: number;
}

/** Enough for a pass of some 100 ms, too few to fill the memory twice. */
const LAYERS = 128;
const PASSES = { compute: 6, bandwidth: 40 } as const;

/** Each compute kernel that the device has, on a part of the memory; rates are those of the median pass. */
export async function measureKernels(common: MeasureOptions, device: CudaDevice): Promise<readonly KernelFigures[]> {
  const hopper = device.capability[0] === 9 && device.capability[1] === 0;
  const stepKernels: readonly StepKernel[] = hopper ? ['hopper', 'generic'] : ['generic'];
  const figures: KernelFigures[] = [];
  for (const stepKernel of stepKernels) figures.push(await measureKernel(common, stepKernel));
  return figures;
}

async function measureKernel(
  { options, kernel, parameters, layers = LAYERS, signal, say }: MeasureOptions,
  stepKernel: StepKernel,
): Promise<KernelFigures> {
  const beginMs = performance.now();
  const engine = await openCudaEngine({ ...options, stepKernel });
  const openMs = performance.now() - beginMs;
  try {
    const fitting = Math.min(layers, await engine.fittingLayers(parameters));
    const used = fitting - (fitting % parameters.lanes);
    const prover = createProver(engine, kernel.hash);
    const context = randomBytes(32);
    const fillMs = await timed(() => prover.fill({ parameters, context, beacon: context, layers: used, signal }));
    const passesMs = { compute: [] as number[], bandwidth: [] as number[] };
    for (const name of ['compute', 'bandwidth'] as const) {
      let lastMs = performance.now();
      const enough = (passes: number) => {
        const nowMs = performance.now();
        passesMs[name].push(nowMs - lastMs);
        lastMs = nowMs;
        return passes >= PASSES[name];
      };
      await prover.runPhase({ name, beacon: context, enough, signal });
    }
    const bytes = layerBytes(parameters) * used;
    const operations = 2 * parameters.computeRows * bytes;
    const figures = {
      stepKernel,
      layers: used,
      openMs,
      fillMs,
      fillBytesPerSecond: (bytes / fillMs) * 1000,
      keccaksPerSecond: (((bytes / 32) * parameters.links) / fillMs) * 1000,
      computePassesMs: passesMs.compute,
      operationsPerSecond: (operations / median(passesMs.compute)) * 1000,
      bandwidthPassesMs: passesMs.bandwidth,
      bytesPerSecond: (bytes / median(passesMs.bandwidth)) * 1000,
    };
    const { operationsPerSecond, bytesPerSecond } = figures;
    say(`${stepKernel}: ${(operationsPerSecond / 1e12).toFixed(2)} TOPS, ${(bytesPerSecond / 1e9).toFixed(1)} GB/s`);
    return figures;
  } finally {
    await engine.close();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
