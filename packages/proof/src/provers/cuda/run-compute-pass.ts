import { HASH_BYTES } from '../../spec/bytes.ts';
import type { PassRequest } from '../engine.ts';
import { startPace } from './pace.ts';
import { launchDigests, launchEach, launchInputs, launchStep, type Stage } from './run-rows.ts';

/** All rows through all layers; of the states only the present one is kept, and what each row's tree still needs. */
export async function runComputePass(
  stage: Stage,
  { phase, seed, signal, onProgress }: PassRequest,
): Promise<Uint8Array> {
  const { context, kernels, network } = stage;
  const { work, tiled } = network;
  const { rows, steps } = phase;
  const states = [work.states0, work.states1] as const;
  const digest = (state: number) =>
    launchDigests(stage, states[state % 2 === 0 ? 0 : 1], rows, tiled, {
      digests: 0n,
      frontier: work.frontier,
      leaf: state,
    });

  const pace = startPace(context, signal, onProgress);
  context.write(work.seeds, seed);
  launchInputs(stage, { states: work.states0, keys: work.keys, rows, seedOfEach: false, tiled });
  digest(0);
  for (let step = 0; step < steps; step++) {
    const [from, to] = step % 2 === 0 ? states : [states[1], states[0]];
    launchStep(stage, from, to, work.keys, phase.layerOf(0, step), rows);
    digest(step + 1);
    await pace.step();
  }
  launchEach(stage, kernels.of('frontier_roots'), rows, [work.frontier, work.roots, steps + 1, rows]);
  await pace.end();
  await context.drain(signal);
  return context.read(work.roots, rows * HASH_BYTES);
}
