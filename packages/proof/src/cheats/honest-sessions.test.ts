import { expect, it } from 'vitest';
import { loadKernel } from '../wasm/load-kernel.ts';
import { runHonestSessions } from './honest-sessions.ts';
import { countKindDraws } from './kind-draws.ts';

const signal = new AbortController().signal;

it('never refuses an honest prover', { timeout: 60_000 }, async () => {
  const result = await runHonestSessions({ kernel: await loadKernel(), sessions: 24, seed: 'test', signal });
  expect(result).toEqual({ sessions: 24, rejected: 0, codes: {} });
});

it('counts kind draws: about one in a thousand over collapsed rows', { timeout: 60_000 }, async () => {
  const draws = { draws: 500, drawsPerCommitment: 500 };
  const result = await countKindDraws({ kernel: await loadKernel(), ...draws, seed: 'test', signal });
  // Predicted are 0.47; 15 by chance: less than once in a billion.
  expect(result).toMatchObject({ draws: 500, commitments: 1 });
  expect(result.kind).toBeLessThan(15);
});
