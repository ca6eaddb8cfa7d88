import { describe, expect, it } from 'vitest';
import { domain, METER_SECRET, openMeterBench } from '../clusters/meter-bench.fixture.ts';
import { handOverMeter } from './hand-over-meter.ts';
import { formatMeterFile, parseMeterFile } from './meter-file.ts';

async function handed() {
  await using bench = await openMeterBench();
  return handOverMeter(bench.context.journal, 'bench', { nowMs: 5, again: false });
}

describe('a meter’s file', () => {
  it('holds all that is needed to meter', async () => {
    const record = await handed();
    const read = parseMeterFile(formatMeterFile(record, domain));
    expect(read.domain).toEqual(domain);
    const { leaseId, terms, asks, meterSecret, peerSeed, voucher, members, openedAt } = record;
    expect(read.record).toMatchObject({ leaseId, terms, asks, meterSecret, peerSeed, voucher, members, openedAt });
    expect(read.record).toMatchObject({ phase: 'running', stopRequested: null });
    expect(read.record.handedOverAtMs).toBeUndefined();
  });

  it('holds nothing else: no variables of the job, no paths of the renter', async () => {
    const text = formatMeterFile(await handed(), domain);
    expect(text).not.toMatch(/hidden|SECRET|archive|renter\/files/);
    expect(text).toContain(METER_SECRET);
    expect(Object.keys(JSON.parse(text)).sort()).toEqual(
      [
        ...['asks', 'createdAtMs', 'domain', 'downWhenDone', 'kind', 'leaseId', 'members', 'meterSecret', 'name'],
        ...['openedAt', 'peerSeed', 'terms', 'version', 'voucher'],
      ].sort(),
    );
  });

  it.each(['', '{}', '[]', 'no', '{"kind":"latent meter","version":2}', '{"kind":"other","version":1}'])(
    'is refused where it is none: %s',
    (text) => {
      expect(() => parseMeterFile(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});

describe('handOverMeter', () => {
  it('is noted once; another file is written only where that is asked for', async () => {
    await using bench = await openMeterBench();
    const { journal } = bench.context;
    expect(handOverMeter(journal, 'bench', { nowMs: 5, again: false }).handedOverAtMs).toBe(5);
    expect(() => handOverMeter(journal, 'bench', { nowMs: 6, again: false })).toThrow(
      expect.objectContaining({ code: 'CLUSTER_HANDED_OVER' }),
    );
    expect(handOverMeter(journal, 'bench', { nowMs: 7, again: true }).handedOverAtMs).toBe(5);
  });

  it.each([
    { phase: 'starting' as const },
    { phase: 'ending' as const },
    { phase: 'ended' as const },
    { stopRequested: 'the renter ended it' },
  ])('is refused for a cluster that does not run: %o', async (change) => {
    await using bench = await openMeterBench();
    bench.change(change);
    expect(() => handOverMeter(bench.context.journal, 'bench', { nowMs: 5, again: false })).toThrow(
      expect.objectContaining({ code: 'CLUSTER_NOT_RUNNING' }),
    );
    expect(bench.record().handedOverAtMs).toBeUndefined();
  });
});
