import { leaseIdSchema } from '@latent/protocol';
import { keccak256, toHex } from 'viem';
import { expect, it } from 'vitest';
import { operatorOf } from '../lease.fixture.ts';
import { turnOf } from './take-turn.ts';

it('gives those who watch a lease other places, in another order for each lease', () => {
  const leases = Array.from({ length: 200 }, (_, index) => leaseIdSchema.parse(keccak256(toHex(index))));
  const [one, other] = [operatorOf(0), operatorOf(1)];
  const turns = leases.map((leaseId) => [turnOf(leaseId, one), turnOf(leaseId, other)] as const);
  for (const turn of turns.flat()) expect(turn >= 0 && turn < 1).toBe(true);
  const first = turns.filter(([a, b]) => a < b).length;
  expect(first).toBeGreaterThan(60);
  expect(first).toBeLessThan(140);
  // Of a minute, they are within two seconds of each other in few leases.
  expect(turns.filter(([a, b]) => Math.abs(a - b) * 60 < 2).length).toBeLessThan(30);
});
