import type { ChainHead } from '@latent/chain';
import { createManualClock } from '@latent/kit';
import { expect, it } from 'vitest';
import { createChainClock } from './chain-clock.ts';

it('goes by the newest block and by what has passed since, whatever the machine’s clock says', async () => {
  const clock = createManualClock(5_000);
  let head: ChainHead | undefined;
  const chainClock = createChainClock(clock, () => head);
  expect(chainClock.nowSeconds()).toBeUndefined();
  head = { number: 1n, hash: '0x01', timestamp: 1_800_000_000 };
  expect(chainClock.nowSeconds()).toBe(1_800_000_000);
  await clock.advance(90_500);
  expect(chainClock.nowSeconds()).toBe(1_800_000_090);
  head = { number: 2n, hash: '0x02', timestamp: 1_800_000_200 };
  expect(chainClock.nowSeconds()).toBe(1_800_000_200);
  // A reorganisation.
  head = { number: 2n, hash: '0x03', timestamp: 1_800_000_150 };
  expect(chainClock.nowSeconds()).toBe(1_800_000_150);
});
