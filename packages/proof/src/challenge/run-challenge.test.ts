import { describe, expect, it } from 'vitest';
import { createProver } from '../provers/prover.ts';
import { openReferenceEngine } from '../provers/reference/reference-engine.ts';
import { nobleHash } from '../spec/noble.ts';
import { parameterSets } from '../spec/parameters.ts';
import { referenceKernel } from '../spec/reference-kernel.ts';
import { runChallenge } from './run-challenge.ts';

describe('a challenge', () => {
  it('is won by an honest prover', async () => {
    const engine = openReferenceEngine();
    let now = 0;
    const result = await runChallenge({
      prover: createProver(engine, nobleHash),
      kernel: referenceKernel,
      parameters: parameterSets.development,
      context: nobleHash(Uint8Array.of(1)),
      drawBeacon: async (which) => nobleHash(new TextEncoder().encode(which)),
      nowMs: () => ++now,
      layers: 4,
      phaseMs: { compute: 3, bandwidth: 9 },
      signal: new AbortController().signal,
    });
    expect(result.verdict).toMatchObject({ outcome: 'proven' });
    expect(result.header?.passes).toEqual({ compute: 2, bandwidth: 5 });
  });
});
