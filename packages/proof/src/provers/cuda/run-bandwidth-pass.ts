import { HASH_BYTES } from '../../spec/bytes.ts';
import type { PassRequest } from '../engine.ts';
import { type Pace, startPace } from './pace.ts';
import { bandwidthKernel, launchDigests, launchInputs, launchStep, type Stage } from './run-rows.ts';

/** Steps of one launch. Each begins with nothing on its way, which costs some 10 microseconds; a stop waits for three. */
const STEPS_PER_LAUNCH = 128;

/** Few rows through every lane's layers; all states are kept, and digested at the end. */
export async function runBandwidthPass(
  stage: Stage,
  { phase, seed, signal, onProgress }: PassRequest,
): Promise<Uint8Array> {
  const { context, kernels, network } = stage;
  const { work } = network;
  const { rows, steps } = phase;

  context.write(work.seeds, seed);
  const keys = work.bandwidthKeys;
  launchInputs(stage, { states: work.bandwidthStates, keys, rows, seedOfEach: false, tiled: 0 });
  const runSteps = network.tiled ? runTiledSteps : runPlainSteps;
  const pace = await runSteps(stage, steps, signal, onProgress);
  launchDigests(stage, work.bandwidthStates, rows * (steps + 1), 0, { digests: work.digests, frontier: 0n, leaf: 0 });
  context.launch(kernels.of('fold_rows'), rows, [work.digests, work.roots, steps + 1, rows]);
  await pace.end();
  await context.drain(signal);
  return context.read(work.roots, rows * HASH_BYTES);
}

type StepsDone = ((stepsDone: number) => void) | undefined;

/** The last launches are not waited for here: what follows is queued behind them. */
async function runTiledSteps(stage: Stage, steps: number, signal: AbortSignal, onProgress: StepsDone): Promise<Pace> {
  const { context, kernels, network } = stage;
  const { work, parameters } = network;
  const { width, lanes } = parameters;
  const kernel = bandwidthKernel(kernels);
  const { cooperative, multiprocessors } = context.device;
  const blocks = Math.min((lanes * width) / 8, multiprocessors);
  const stride = cooperative ? STEPS_PER_LAUNCH : 1;
  const pace = startPace(context, signal, (launches) => onProgress?.(Math.min(steps, launches * stride)), 1);
  for (let first = 0; first < steps; first += stride) {
    const last = Math.min(steps, first + stride);
    context.call('clear a counter', (driver, stream) => driver.setWords(work.arrivals, 0, 1n, stream));
    const parametersOfLaunch = [work.bandwidthStates, work.bandwidthKeys, work.layerAddresses, work.arrivals];
    context.launch(kernel, blocks, [...parametersOfLaunch, first, last, lanes, width], cooperative);
    await pace.step();
  }
  return pace;
}

async function runPlainSteps(stage: Stage, steps: number, signal: AbortSignal, onProgress: StepsDone): Promise<Pace> {
  const { context, network } = stage;
  const { work, parameters } = network;
  const { width, lanes, laneRows } = parameters;
  const pace = startPace(context, signal, onProgress);
  const laneBytes = BigInt(laneRows * width);
  for (let step = 0; step < steps; step++) {
    for (let lane = 0; lane < lanes; lane++) {
      const from = work.bandwidthStates + BigInt(step * lanes + lane) * laneBytes;
      const keys = work.bandwidthKeys + BigInt(4 * lane * laneRows);
      const to = from + BigInt(lanes) * laneBytes;
      launchStep(stage, { from, to, keys, rows: laneRows }, step * lanes + lane);
    }
    await pace.step();
  }
  return pace;
}
