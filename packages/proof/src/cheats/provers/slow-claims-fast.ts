import { type Cheat, honestClaims } from '../cheat.ts';
import { misbehave } from '../stage/stage.ts';

/**
 * Calls itself by the name of a device that is twice as fast, and does all that it can.
 *
 * Gains: nothing. Its name is nowhere in the proof, and the time is the observer's.
 */
export const slowClaimsFast: Cheat = {
  name: 'slow-claims-fast',
  summary: 'a device that calls itself by the name of one twice as fast, and works honestly',
  claims: { ...honestClaims, operations: 2, bandwidth: 2 },
  predicted: 0,
  stoppedBy: 'time',
  explanation: 'Names count for nothing: the work is counted, and the time is the observer’s.',
  begin: (stage) => misbehave(stage, {}),
};
