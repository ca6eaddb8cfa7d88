import type { NetworkAbility } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import type { ClusterRecord } from './cluster-record.ts';
import { type MeterBench, openMeterBench } from './meter-bench.fixture.ts';
import { decideNetwork } from './private-network.ts';

const able: NetworkAbility = { usable: true };
const unable: NetworkAbility = { usable: false, reason: 'it has no TUN device' };

function decide(bench: MeterBench, wish: ClusterRecord['job']['network'], ...abilities: NetworkAbility[]): boolean {
  const record = bench.record();
  bench.change({ job: { ...record.job, network: wish } });
  const attached = abilities.map((network) => ({ address: '127.0.0.1', network }));
  return decideNetwork(bench.context, bench.record(), attached);
}

describe('whether a cluster gets a private network', () => {
  it('gets one where all members can be in it, and none if the job wants the machines’ own', async () => {
    await using bench = await openMeterBench();
    expect(decide(bench, 'if-possible', able, able)).toBe(true);
    await using other = await openMeterBench();
    expect(decide(other, 'host', able, able)).toBe(false);
    expect(other.told).toEqual([]);
    expect(bench.told.join()).toContain('no internet for rank 0 (its agent has no way out), rank 1 (');
  });

  it('says who of them reaches the internet, and why others do not', async () => {
    await using bench = await openMeterBench();
    const open: NetworkAbility = { usable: true, egress: { usable: true } };
    const closed: NetworkAbility = { usable: true, egress: { usable: false, reason: 'its operator lets no job out' } };
    expect(decide(bench, 'if-possible', open, closed)).toBe(true);
    expect(bench.told.join()).toContain('no internet for rank 1 (its operator lets no job out);');
    await using other = await openMeterBench();
    expect(decide(other, 'if-possible', open, open)).toBe(true);
    expect(other.told.join()).toContain('the ranks reach the internet;');
  });

  it('does without where one member cannot, and says which and why', async () => {
    await using bench = await openMeterBench();
    expect(decide(bench, 'if-possible', able, unable)).toBe(false);
    expect(bench.told.join()).toMatch(/not in a private network: rank 1 cannot be in one \(it has no TUN device\)/);
  });

  it('does not begin without one if the job file insists', async () => {
    await using bench = await openMeterBench();
    const refused = expect.objectContaining({ code: 'NETWORK_UNAVAILABLE' });
    expect(() => decide(bench, 'private', unable, able)).toThrow(refused);
    expect(bench.record().isPrivate).toBeUndefined();
  });

  it('stays with what was decided, whatever members say when they are asked again', async () => {
    await using bench = await openMeterBench();
    decide(bench, 'if-possible', able, able);
    expect(bench.record().isPrivate).toBe(true);
    expect(decide(bench, 'if-possible', able, unable)).toBe(true);
    await using other = await openMeterBench();
    decide(other, 'if-possible', able, unable);
    expect(decide(other, 'if-possible', able, able)).toBe(false);
  });
});
