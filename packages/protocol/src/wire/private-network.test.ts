import { isIPv4 } from 'node:net';
import { expect, test } from 'vitest';
import { MAX_RANK, networkAddress, networkName, networkPlanSchema } from './private-network.ts';

test('every rank has an address and a name of its own, all in one network', () => {
  const ranks = Array.from({ length: MAX_RANK + 1 }, (_, rank) => rank);
  const addresses = ranks.map(networkAddress);
  expect(new Set(addresses).size).toBe(ranks.length);
  expect(new Set(ranks.map(networkName)).size).toBe(ranks.length);
  expect(addresses.every((address) => isIPv4(address) && address.startsWith('100.84.'))).toBe(true);
  expect(addresses).not.toContain('100.84.0.0');
  expect([addresses[0], addresses[254], addresses[255]]).toEqual(['100.84.0.1', '100.84.0.255', '100.84.1.0']);
});

test('a plan holds each rank once, and at least one', () => {
  const member = {
    ask: {
      ...{ operator: `0x${'1'.repeat(40)}`, agentKey: `0x${'2'.repeat(40)}`, resource: `0x${'3'.repeat(64)}` },
      ...{ devices: 1, rate: '1', maxSeconds: 60, closeWindow: 900, prepay: 10, maxFeeBps: 50, validUntil: 1 },
      ...{ epoch: 0, salt: '1' },
    },
    resource: {
      ...{ kind: 'cpu', model: 'x', deviceMemoryMiB: 1, cpuCores: 1, memoryMiB: 1, region: 'eu', site: 'home' },
      ...{ isolation: 'namespaces', peerKey: `0x${'4'.repeat(64)}`, hints: [] },
    },
  };
  const planOf = (...ranks: number[]) => ({ number: 1, ranks: ranks.map((rank) => ({ rank, ...member })) });
  expect(networkPlanSchema.safeParse(planOf(0, 1, MAX_RANK)).success).toBe(true);
  for (const wrong of [planOf(), planOf(0, 0), planOf(-1), planOf(MAX_RANK + 1), { ...planOf(0), number: 0 }]) {
    expect(networkPlanSchema.safeParse(wrong).success).toBe(false);
  }
});
