import { decodeHeader } from '../../wire/proof-header.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { modelOf, proverWith, rehearse, sayOnly } from '../stage/stage.ts';

/**
 * Sends a right proof of an earlier challenge.
 *
 * Gains: everything, as work done once is paid for ever. Caught: all that a proof holds derives from the challenge's context
 * and beacons, which the verifier knows.
 */
export const replayedProof: Cheat = {
  name: 'replayed-proof',
  summary: 'answers with a right proof of an earlier challenge, in no time',
  claims: { ...honestClaims, operations: 1000, bandwidth: 1000 },
  predicted: 0,
  stoppedBy: 'order',
  explanation: 'The header has to hold the context and the four beacons of this challenge.',
  begin: async (stage) => {
    const earlier = await rehearse(
      { ...stage, draw: (...words) => stage.draw('earlier', ...words) },
      { prover: (clock) => proverWith(stage, clock, {}, modelOf(stage)).prover },
    );
    const { proof = new Uint8Array() } = await earlier.trial(0);
    const { layers, passes, phaseRoots } = decodeHeader(proof);
    const said = {
      compute: { passes: passes.compute, phaseRoot: phaseRoots.compute },
      bandwidth: { passes: passes.bandwidth, phaseRoot: phaseRoots.bandwidth },
    };
    return rehearse(stage, { prover: (clock) => sayOnly(clock, layers, said), open: async () => proof });
  },
};
