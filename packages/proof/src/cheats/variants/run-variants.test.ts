import { expect, it } from 'vitest';
import { loadKernel } from '../../wasm/load-kernel.ts';
import { runVariants } from './run-variants.ts';

it('shows that the attacks work where their defence is missing', { timeout: 60_000 }, async () => {
  const rows = await runVariants({
    kernel: await loadKernel(),
    trialsOf: (name) => (name === 'collapse-without-key' ? 500 : 1),
    seed: 'test',
    signal: new AbortController().signal,
  });
  const [collapse, grinding, slope] = rows;
  expect(collapse?.gain).toBeGreaterThan(30);
  // Predicted are 18 %; below 5 % or above 40 % of 500 by chance: less than once in a billion.
  expect(collapse?.acceptance.measured).toBeGreaterThan(0.05);
  expect(collapse?.acceptance.measured).toBeLessThan(0.4);
  expect(grinding).toMatchObject({ name: 'grind-fiat-shamir', accepted: 1 });
  expect(slope).toMatchObject({ name: 'scored-by-slope', accepted: 1 });
});
