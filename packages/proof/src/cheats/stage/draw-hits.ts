import type { Hash } from '../../spec/bytes.ts';
import { phaseNames, phaseOf } from '../../spec/phase.ts';
import { drawSamples } from '../../spec/session.ts';
import { deriveFromHeader, type ProofHeader } from '../../wire/proof-header.ts';
import type { KeepingEngine } from './keeping-engine.ts';

/** What a prover that knows what it forged can tell of samples, without opening any. */
export type Gauge = Pick<KeepingEngine, 'isWrong'>;

/** Whether any sample of the proof with this header falls on something wrong: what a verifier would find. */
export function hitsForged(hash: Hash, header: ProofHeader, gauge: Gauge): boolean {
  const { parameters, layers, passes, beacons } = header;
  const { root } = deriveFromHeader(hash, header);
  return phaseNames.some((name) => {
    const phase = phaseOf(parameters, name, layers);
    const samples = drawSamples(hash, parameters, phase, passes[name], root, beacons.sample);
    return samples.some((sample) => gauge.isWrong(name, sample));
  });
}
