import { LatentError } from '@latent/protocol';
import type { Kernel } from '../kernel.ts';
import { sameBytes } from '../spec/bytes.ts';
import { CHUNK_VALUES } from '../spec/digests.ts';
import type { Parameters } from '../spec/parameters.ts';
import { type PhaseName, phaseOf } from '../spec/phase.ts';
import type { Sample } from '../spec/session.ts';
import { requantise } from '../spec/step.ts';
import { codeAt, inputRow, rowKey } from '../spec/values.ts';
import type { OpenedSample, Opening } from '../wire/opening.ts';
import type { OpeningPlan } from '../wire/opening-plan.ts';
import type { Derived, ProofHeader } from '../wire/proof-header.ts';

/** A sample with all that is needed to compute it again. */
interface SampleToCheck extends Sample, OpenedSample {
  readonly parameters: Parameters;
  /** Session id, 32 bytes. */
  readonly session: Uint8Array;
  readonly phase: PhaseName;
  readonly index: number;
  readonly layer: number;
  /** Seed of its pass. */
  readonly seed: Uint8Array;
}

/** @param seeds of every pass that a sample names, as `rebuildPhase` gives them */
export function openedSamples(
  { parameters, layers }: ProofHeader,
  { session }: Derived,
  name: PhaseName,
  plan: OpeningPlan,
  opening: Opening,
  seeds: ReadonlyMap<number, Uint8Array>,
): readonly SampleToCheck[] {
  const phase = phaseOf(parameters, name, layers);
  return plan.samples.map((sample, index) => {
    const [opened, seed] = [opening.samples[index], seeds.get(sample.pass)];
    if (opened === undefined || seed === undefined) throw new LatentError('INTERNAL', 'A sample has no opening.');
    const layer = phase.layerOf(sample.row, sample.step);
    return { ...sample, ...opened, parameters, session: session.id, phase: name, index, layer, seed };
  });
}

/** @throws LatentError PROOF_WRONG_INPUT if the sample starts a row, and not from that row's input */
export function checkInput({ hash }: Kernel, sample: SampleToCheck): void {
  const { parameters, phase, pass, row, step, seed, state } = sample;
  if (step > 0 || sameBytes(state, inputRow(hash, parameters, seed, row))) return;
  throw new LatentError('PROOF_WRONG_INPUT', `Row ${row} of ${phase} pass ${pass} does not start from its input.`, {
    details: detailsOf(sample),
  });
}

/** @throws LatentError PROOF_WRONG_ENTRY unless the sampled value is what its layer makes of the opened state */
export function checkEntry(kernel: Kernel, sample: SampleToCheck): void {
  const { parameters, session, phase, pass, row, layer, output, seed, state, chunk } = sample;
  const sums = kernel.accumulate(parameters, session, layer, output, state);
  const code = requantise(rowKey(kernel.hash, parameters, seed, row), layer, output, sums);
  const shown = codeAt(chunk, output % CHUNK_VALUES);
  if (code === shown) return;
  const where = `Output ${output} of layer ${layer}, row ${row} of ${phase} pass ${pass}`;
  throw new LatentError('PROOF_WRONG_ENTRY', `${where}, is ${shown - 8} and has to be ${code - 8}.`, {
    details: detailsOf(sample),
  });
}

function detailsOf({ phase, index, pass, row, step, output }: SampleToCheck) {
  return { phase, sample: index, pass, row, step, output };
}
