import { expect, it } from 'vitest';
import { loadKernel } from '../../wasm/load-kernel.ts';
import { runWeaknesses } from './run-weaknesses.ts';

it('refuses what other challenges were published to accept', { timeout: 60_000 }, async () => {
  const signal = new AbortController().signal;
  const rows = await runWeaknesses({ kernel: await loadKernel(), trials: 2, seed: 'test', signal });
  expect(rows.length).toBeGreaterThanOrEqual(7);
  expect(rows.filter(({ refused, trials }) => refused !== trials)).toEqual([]);
});
