import { beforeAll, describe, expect, it } from 'vitest';
import { type FuzzResult, fuzzRecords, fuzzVerifying } from '../cheats/hostile/run-fuzz.ts';
import { parameterSets } from '../spec/parameters.ts';
import { loadKernel } from '../wasm/load-kernel.ts';

const never = new AbortController().signal;
/** A million are the benchmark `proof-fuzz`. */
const INPUTS = 2000;
const nothing = { nowMs: () => 0, signal: never };

describe('thousands of hostile proofs', () => {
  let result: FuzzResult;
  beforeAll(async () => {
    result = await fuzzVerifying({ ...nothing, kernel: await loadKernel(), inputs: INPUTS, seed: 1 });
  }, 60_000);

  it('are all refused with a code of their own', () => {
    expect({ taken: result.taken, crashes: result.crashes }).toEqual({ taken: [], crashes: [] });
    expect(Object.values(result.codes).reduce((sum, count) => sum + count, 0)).toBe(INPUTS);
  });

  it('meet every check of a verifier that bytes alone can fail', () => {
    expect(Object.keys(result.codes).toSorted()).toEqual(
      expect.arrayContaining([
        'PROOF_BAD_OPENING',
        'PROOF_MALFORMED',
        'PROOF_MISMATCH',
        'PROOF_TOO_LARGE',
        'PROOF_WRONG_LENGTH',
      ]),
    );
  });

  it('cost no more than a right proof of the largest trees, and no weights before the roots are rebuilt', () => {
    const { samples } = parameterSets.development;
    // Two digests of at most 8 chunks, and at most 2 × 64 nodes, for each sample of both phases; and drawing them.
    expect(result.mostHashes).toBeLessThan(2 * samples * (2 * 9 + 2 * 64 + 4));
    expect(result.mostSums).toBeLessThanOrEqual(2 * samples);
  });
});

describe('thousands of hostile records', () => {
  it('are all refused, or are in bounds', async () => {
    const result = await fuzzRecords({ ...nothing, kernel: await loadKernel(), inputs: INPUTS, seed: 2 });
    expect({ taken: result.taken, crashes: result.crashes }).toEqual({ taken: [], crashes: [] });
    expect(result.codes['PROOF_MALFORMED']).toBeGreaterThan(INPUTS / 2);
  }, 60_000);
});
