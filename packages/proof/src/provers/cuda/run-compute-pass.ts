import { HASH_BYTES } from '../../spec/bytes.ts';
import type { PassRequest } from '../engine.ts';
import { startPace } from './pace.ts';
import { launchDigests, launchDigestsAndStep, launchEach, launchInputs, type Stage } from './run-rows.ts';

/** All rows through all layers; of the states only the present one is kept, and what each row's tree still needs. */
export async function runComputePass(
  stage: Stage,
  { phase, seed, signal, onProgress }: PassRequest,
): Promise<Uint8Array> {
  const { context, kernels, network } = stage;
  const { work, tiled } = network;
  const { rows, steps } = phase;
  const states = [work.states0, work.states1] as const;
  const leafOf = (leaf: number) => ({ digests: 0n, frontier: work.frontier, leaf });

  const pace = startPace(context, signal, onProgress);
  context.write(work.seeds, seed);
  launchInputs(stage, { states: work.states0, keys: work.keys, rows, seedOfEach: false, tiled });
  for (let step = 0; step < steps; step++) {
    const [from, to] = step % 2 === 0 ? states : [states[1], states[0]];
    launchDigestsAndStep(stage, { from, to, keys: work.keys, rows }, phase.layerOf(0, step), leafOf(step));
    await pace.step();
  }
  launchDigests(stage, states[steps % 2 === 0 ? 0 : 1], rows, tiled, leafOf(steps));
  launchEach(stage, kernels.of('frontier_roots'), rows, [work.frontier, work.roots, steps + 1, rows]);
  await pace.end();
  await context.drain(signal);
  return context.read(work.roots, rows * HASH_BYTES);
}
