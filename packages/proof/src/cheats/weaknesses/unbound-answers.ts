import { at } from '../../spec/bytes.ts';
import { CHUNK_BYTES } from '../../spec/digests.ts';
import { rowBytes } from '../../spec/parameters.ts';
import { phaseNames, phaseOf } from '../../spec/phase.ts';
import { requantise } from '../../spec/step.ts';
import { rowKey } from '../../spec/values.ts';
import { sampleBytes } from '../../wire/opening-plan.ts';
import { deriveFromHeader, encodeHeader, HEADER_BYTES, type ProofHeader, planOf } from '../../wire/proof-header.ts';
import { type Act, rehearse, STAGE_LAYERS, type Stage, sayOnly } from '../stage/stage.ts';
import { refusalOf } from './refusal.ts';
import type { Weakness } from './weakness.ts';

/**
 * Never runs the network: makes up a state for each sample when it knows which, and computes that one entry rightly. All
 * relations between the numbers that it sends hold; none of them was committed to.
 */
export const unboundAnswers: Weakness = {
  name: 'unbound-answers',
  elsewhere:
    'Freivalds’ check with a product that the prover itself sends, bound to nothing: A·(B·r) is made in O(n²) without C (PrimeIntellect-ai/gpu-challenge, verifier_service.py, commit afc30783)',
  tried:
    'commits to random roots, and answers each sample with a made-up state and the entry that truly follows from it',
  run: async (stage, trials) => {
    const act: Act = {
      prover: (clock) => sayOnly(clock, STAGE_LAYERS, saidAtRandom(stage)),
      open: async ({ sampleBeacon }) => answerBySample(stage, sampleBeacon),
    };
    const attempt = await rehearse(stage, act);
    return Promise.all(Array.from({ length: trials }, async (_, trial) => refusalOf(await attempt.trial(trial))));
  },
};

/** Answers with no openings at all, as the rows that came back were looped over, and none was missed. */
export const emptyOpenings: Weakness = {
  name: 'empty-openings',
  elsewhere:
    'an answer with an empty list of opened rows passes every check of each (the same verifier: rows = [] gave all_passed = True)',
  tried: 'sends a header with random roots and no openings',
  run: async (stage, trials) => {
    const act: Act = {
      prover: (clock) => sayOnly(clock, STAGE_LAYERS, saidAtRandom(stage)),
      open: async ({ sampleBeacon }) => encodeHeader(headerAtRandom(stage, sampleBeacon)),
    };
    const attempt = await rehearse(stage, act);
    return Promise.all(Array.from({ length: trials }, async (_, trial) => refusalOf(await attempt.trial(trial))));
  },
};

const PASSES = 2;

function saidAtRandom({ draw }: Stage) {
  const said = (name: string) => ({ passes: PASSES, phaseRoot: draw('root', name) });
  return { compute: said('compute'), bandwidth: said('bandwidth') };
}

function headerAtRandom(stage: Stage, sample: Uint8Array): ProofHeader {
  const { parameters, draw } = stage;
  const said = saidAtRandom(stage);
  return {
    parameters,
    context: draw('context'),
    beacons: { fill: draw('fill'), compute: draw('compute'), bandwidth: draw('bandwidth'), sample },
    layers: STAGE_LAYERS,
    passes: { compute: PASSES, bandwidth: PASSES },
    phaseRoots: { compute: said.compute.phaseRoot, bandwidth: said.bandwidth.phaseRoot },
  };
}

function answerBySample(stage: Stage, sampleBeacon: Uint8Array): Uint8Array {
  const { kernel, parameters, draw } = stage;
  const header = headerAtRandom(stage, sampleBeacon);
  const { root, session, seeds } = deriveFromHeader(kernel.hash, header);
  const plans = phaseNames.map((name) => ({ name, plan: planOf(kernel.hash, header, root, name) }));
  const proof = new Uint8Array(HEADER_BYTES + plans.reduce((bytes, { plan }) => bytes + plan.bytes, 0));
  proof.set(encodeHeader(header));
  let offset = HEADER_BYTES;
  for (const { name, plan } of plans) {
    const phase = phaseOf(parameters, name, header.layers);
    for (const [index, { row, step, output }] of plan.samples.entries()) {
      const place = offset + index * sampleBytes(parameters);
      const state = kernel.hash(draw('state', name, index));
      const packed = Uint8Array.from({ length: rowBytes(parameters) }, (_, i) => at(state, i % state.length));
      const layer = phase.layerOf(row, step);
      const sums = kernel.accumulate(parameters, session.id, layer, output, packed);
      const code = requantise(rowKey(kernel.hash, parameters, seeds[name], row), layer, output, sums);
      proof.set(packed, place);
      proof.fill(code | (code << 4), place + packed.length, place + packed.length + CHUNK_BYTES);
    }
    offset += plan.bytes;
  }
  return proof;
}
