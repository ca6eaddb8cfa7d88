import { describe, expect, it } from 'vitest';
import { MOST_PASSES, parameterSets } from '../spec/parameters.ts';
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

  it('says so when the phase was too short because it had the most passes of a proof', () => {
    const times = { compute: 10_000, bandwidth: 4_000 };
    const most = { ...header, passes: { compute: 9, bandwidth: MOST_PASSES } };
    expect(scoreProof(most, times)).toMatchObject({
      ...{ outcome: 'not measured', code: 'PROOF_NOT_MEASURED' },
      reason: expect.stringContaining('more layers'),
    });
    expect(scoreProof(header, times)).toMatchObject({ reason: expect.not.stringContaining('more layers') });
  });

  it('is proven when both took long enough', () => {
    expect(scoreProof(header, { compute: 10_000, bandwidth: 5_000 })).toMatchObject({ outcome: 'proven' });
  });
});
