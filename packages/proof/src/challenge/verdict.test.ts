import { describe, expect, it } from 'vitest';
import { parameterSets } from '../spec/parameters.ts';
import { scoreProof } from './verdict.ts';

const none = new Uint8Array(32);
const header = {
  ...{ parameters: parameterSets.cpu, layers: 4, passes: { compute: 9, bandwidth: 9 }, context: none },
  ...{
    phaseRoots: { compute: none, bandwidth: none },
    beacons: { fill: none, compute: none, bandwidth: none, sample: none },
  },
};

describe('the verdict on a good proof', () => {
  it.each([
    ['compute', { compute: 9_999, bandwidth: 5_000 }],
    ['bandwidth', { compute: 10_000, bandwidth: 4_999 }],
  ])('is that nothing was measured when the %s phase was too short', (phase, times) => {
    const verdict = scoreProof(header, times);
    expect(verdict).toMatchObject({ outcome: 'not measured', code: 'PROOF_NOT_MEASURED' });
    expect(verdict).toMatchObject({ reason: expect.stringContaining(phase) });
  });

  it('is proven when both took long enough', () => {
    expect(scoreProof(header, { compute: 10_000, bandwidth: 5_000 })).toMatchObject({ outcome: 'proven' });
  });
});
