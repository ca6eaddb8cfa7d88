import { parameterSets } from '../../spec/parameters.ts';

import { sampleBytes } from '../../wire/opening-plan.ts';
import { decodeHeader, deriveFromHeader, encodeHeader, HEADER_BYTES, planOf } from '../../wire/proof-header.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import type { MakeStates } from '../stage/keeping-engine.ts';
import { stateOf, sumsOf } from '../stage/network.ts';
import { below, modelOf, type OpenCall, proverWith, rehearse, type Stage } from '../stage/stage.ts';

type Disguise = (stage: Stage, call: OpenCall) => Promise<Uint8Array>;

/**
 * Computes every other row only, and opens something well-formed in the place of what is asked: of its own tree, and right
 * by itself.
 *
 * Gains: half of the products. Caught: where a state stands in the tree follows from the sample, and not from the proof.
 */
function otherOpenings(name: string, summary: string, explanation: string, disguise: Disguise): Cheat {
  return {
    name,
    summary: `computes every other row only, and ${summary}`,
    claims: { ...honestClaims, operations: 2 },
    forged: 1 / 2,
    predicted: 0,
    stoppedBy: 'shape',
    explanation,
    begin: (stage) =>
      rehearse(stage, {
        prover: (clock) => proverWith(stage, clock, { make: { compute: everyOtherRow } }, modelOf(stage)).prover,
        open: (call) => disguise(stage, call),
      }),
  };
}

const everyOtherRow: MakeStates = ({ parameters, phase, step, keys, before, layer, work }) =>
  before.map((state, row) => {
    const index = phase.layerOf(row, step);
    const nothing = new Int32Array(parameters.width * parameters.gates);
    const sums = row % 2 === 0 ? sumsOf(parameters, layer(index), state, work) : nothing;
    return stateOf(parameters, keys[row] ?? 0, index, sums);
  });

export const openingsOfAnotherBeacon: Cheat = otherOpenings(
  'openings-of-another-beacon',
  'opens what another beacon would have picked, under the header of the true one',
  'The samples follow from root and beacon, and with them the place of each opened state, and the length of the proof.',
  async ({ draw }, { sampleBeacon, trial, openBy }) => {
    const proof = await openBy(draw('kinder', trial));
    const header = decodeHeader(proof);
    const disguised = proof.slice();
    disguised.set(encodeHeader({ ...header, beacons: { ...header.beacons, sample: sampleBeacon } }));
    return disguised;
  },
);

const EACH = sampleBytes(parameterSets.development);

export const swappedOpenings: Cheat = otherOpenings(
  'swapped-openings',
  'opens two of the samples in each other’s place',
  'A state’s digest is put where its sample stands; elsewhere it leads to another root.',
  async ({ draw }, { sampleBeacon, trial, openBy }) => {
    const proof = await openBy(sampleBeacon);
    const first = below(draw('swapped', trial), parameterSets.development.samples / 2);
    const second = first + parameterSets.development.samples / 2;
    return withSamples(proof, (index) => (index === first ? second : index === second ? first : index));
  },
);

export const openingsOfAnotherRow: Cheat = otherOpenings(
  'openings-of-another-row',
  'opens a row that it did compute wherever one is asked that it did not',
  'The opened states have to lead to the root from the places that were asked, and are never asked where they come from.',
  async ({ kernel }, { sampleBeacon, openBy }) => {
    const proof = await openBy(sampleBeacon);
    const header = decodeHeader(proof);
    const { samples } = planOf(kernel.hash, header, deriveFromHeader(kernel.hash, header).root, 'compute');
    const computed = samples.findIndex(({ row }) => row % 2 === 0);
    return withSamples(proof, (index) => ((samples[index]?.row ?? 0) % 2 === 0 ? index : computed));
  },
);

/** The proof with each sample of the compute phase replaced by another one's opening. */
function withSamples(proof: Uint8Array, sourceOf: (index: number) => number): Uint8Array {
  const changed = proof.slice();
  for (let index = 0; index < parameterSets.development.samples; index++) {
    const source = HEADER_BYTES + sourceOf(index) * EACH;
    changed.set(proof.subarray(source, source + EACH), HEADER_BYTES + index * EACH);
  }
  return changed;
}
