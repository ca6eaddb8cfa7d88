import type { MakeStates } from '../stage/keeping-engine.ts';
import { stateOf, sumsOf } from '../stage/network.ts';
import { misbehave } from '../stage/stage.ts';
import { refusalOf } from './refusal.ts';
import type { Weakness } from './weakness.ts';

/**
 * Computes the first output of a layer, and each further one from the one before it, as is right for a matrix whose entry
 * depends on row + column only: C[i+1][j] = C[i][j−1] and what enters at the one end less what leaves at the other.
 */
export const structuredWeights: Weakness = {
  name: 'structured-weights',
  elsewhere:
    'entries that depend on row + column only make a Hankel matrix, whose product takes O(n²) (neuralinternet/compute-subnet, neurons/Validator/pog.py, commit 303b31e1)',
  tried: 'computes one output and the first row by multiplying, and all others by the recurrence of a Hankel matrix',
  run: async (stage, trials) => {
    const attempt = await misbehave(stage, { make: { compute: byRecurrence } });
    return Promise.all(Array.from({ length: trials }, async (_, trial) => refusalOf(await attempt.trial(trial))));
  },
};

const byRecurrence: MakeStates = (call) => {
  const { parameters, phase, step, keys, before, layer, work } = call;
  const { width, gates } = parameters;
  const index = phase.layerOf(0, step);
  const weights = layer(index);
  const [first = new Int8Array(width)] = before;
  let sums = sumsOf(parameters, weights, first, work);
  return before.map((state, row) => {
    if (row > 0) {
      const above = sums;
      const from = before[row - 1] ?? first;
      sums = sumsOf(parameters, weights, state, work, { outputs: 1 });
      for (let output = 1; output < width; output++)
        for (let gate = 0; gate < gates; gate++) {
          const entry = output * gates + gate;
          const column = (output - 1) * gates + gate;
          const enters = (state[width - 1] ?? 0) * (weights[entry * width + width - 1] ?? 0);
          const leaves = (from[0] ?? 0) * (weights[column * width] ?? 0);
          sums[entry] = (above[column] ?? 0) + enters - leaves;
        }
      work.products += 2 * width * gates;
    }
    return stateOf(parameters, keys[row] ?? 0, index, sums);
  });
};
