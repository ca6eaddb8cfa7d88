import { acceptanceOf } from '../../challenge/rates.ts';
import { at } from '../../spec/bytes.ts';
import { phaseOf } from '../../spec/phase.ts';
import { drawSamples } from '../../spec/session.ts';
import { inputRow, rowKey, unpackRow } from '../../spec/values.ts';
import { noWork } from '../stage/device-model.ts';
import { deriveLayer, stateOf, sumsOf } from '../stage/network.ts';
import type { Stage } from '../stage/stage.ts';
import type { Variant } from './variant.ts';

/** Deep enough that one layer is a small part: a device of 24 GiB has 384 of the set `production`. */
const LAYERS = 88;

/** In the variant the step has no row's key: rows that are the same once stay the same. */
const NO_KEY = 0;

/**
 * Forges the first layer with one same row for all, in a copy of the step without the row's key, and in the real one.
 *
 * Without the key all later layers are one row's work, and all of it right: only the first layer's entries are wrong.
 */
export const collapseWithoutKey: Variant = {
  name: 'collapse-without-key',
  without: 'the row’s key in the requantiser',
  run: async (stage, trials) => {
    const { kernel, parameters, signal, draw } = stage;
    const phase = phaseOf(parameters, 'compute', LAYERS);
    const [naive, real] = [collapsedWork(stage, false), collapsedWork(stage, true)];
    // A code of the forged layer is right only by chance; everything after it follows from what is opened before it.
    const wrong = wrongEntries(stage);
    let accepted = 0;
    for (let trial = 0; trial < trials; trial++) {
      signal.throwIfAborted();
      const samples = drawSamples(kernel.hash, parameters, phase, 1, draw('root'), draw('sample', trial));
      if (!samples.some(({ row, step, output }) => step === 0 && wrong[row * parameters.width + output])) accepted++;
    }
    const honest = phase.rows * LAYERS;
    return {
      trials,
      accepted,
      predicted: acceptanceOf(parameters, 1 / LAYERS),
      gain: honest / naive.rowSteps,
      finding: `one of ${LAYERS} layers forged: ${naive.distinctRows} distinct row from there on; with the key ${real.distinctRows} of ${phase.rows}, and a gain of ${(honest / real.rowSteps).toFixed(3)}`,
    };
  },
};

/** Runs the layers after the forged one for as many rows as differ. */
function collapsedWork({ kernel, parameters, draw }: Stage, hasKey: boolean) {
  const session = draw('session');
  const phase = phaseOf(parameters, 'compute', LAYERS);
  const keys = Array.from({ length: phase.rows }, (_, row) =>
    hasKey ? rowKey(kernel.hash, parameters, draw('seed'), row) : NO_KEY,
  );
  let rows = keys.map(() => unpackRow(inputRow(kernel.hash, parameters, draw('forged'), 0)));
  let rowSteps = 0;
  for (let step = 1; step < LAYERS; step++) {
    const distinct = new Set(rows.map(String)).size;
    rowSteps += distinct;
    // Two layers tell: after them the number of distinct rows is what it stays.
    if (step > 2) continue;
    const weights = deriveLayer(kernel.hash, parameters, session, step);
    const [first] = rows;
    const shared = distinct === 1 && first !== undefined ? sumsOf(parameters, weights, first, noWork()) : undefined;
    rows = rows.map((row, index) =>
      stateOf(parameters, keys[index] ?? 0, step, shared ?? sumsOf(parameters, weights, row, noWork())),
    );
  }
  return { rowSteps, distinctRows: new Set(rows.map(String)).size };
}

/** By row, then output: whether the forged first layer is wrong there. */
function wrongEntries({ kernel, parameters, draw }: Stage): readonly boolean[] {
  const phase = phaseOf(parameters, 'compute', LAYERS);
  const weights = deriveLayer(kernel.hash, parameters, draw('session'), 0);
  const forged = unpackRow(inputRow(kernel.hash, parameters, draw('forged'), 0));
  return Array.from({ length: phase.rows }, (_, row) => row).flatMap((row) => {
    const input = unpackRow(inputRow(kernel.hash, parameters, draw('seed'), row));
    const right = stateOf(parameters, NO_KEY, 0, sumsOf(parameters, weights, input, noWork()));
    return Array.from(right, (value, output) => value !== at(forged, output));
  });
}
