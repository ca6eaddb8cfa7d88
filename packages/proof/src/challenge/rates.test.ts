import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Parameters, parameterSets } from '../spec/parameters.ts';
import { acceptanceOf, measuredRatesDown, provenPerMyriadDown, provenRatesDown } from './rates.ts';

const headerOf = (parameters: Parameters, layers: number, compute: number, bandwidth: number) => ({
  ...{ parameters, layers, passes: { compute, bandwidth } },
  ...{ context: new Uint8Array(32), phaseRoots: { compute: new Uint8Array(32), bandwidth: new Uint8Array(32) } },
  beacons: {
    fill: new Uint8Array(32),
    compute: new Uint8Array(32),
    bandwidth: new Uint8Array(32),
    sample: new Uint8Array(32),
  },
});

describe('rates', () => {
  it('of an H200 at its paper figures come out at its paper figures', () => {
    const header = headerOf(parameterSets.production, 2000, 14, 300);
    const operations = 2 * 8192 * 16 * 2048 * 2048 * 2000 * 14;
    const rates = measuredRatesDown(header, { compute: (operations / 1.979e15) * 1000, bandwidth: 8389 });
    expect(Number(rates.operationsPerSecond) / 1.979e15).toBeCloseTo(1, 3);
    expect(rates.memoryBytes).toBe(2000n * 2n ** 26n);
    expect(Number(rates.bytesPerSecond) / 4.8e12).toBeCloseTo(1, 3);
  });

  it('never rise with time, and never exceed work by time', () => {
    const times = fc.double({ min: 0, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(times, times, fc.integer({ min: 1, max: 65_536 }), (a, b, passes) => {
        const header = headerOf(parameterSets.cpu, 4, passes, passes);
        const [short, long] = [Math.min(a, b), Math.max(a, b)].map((ms) =>
          measuredRatesDown(header, { compute: ms, bandwidth: ms }),
        );
        expect(long!.operationsPerSecond <= short!.operationsPerSecond).toBe(true);
        expect(Number(short!.bytesPerSecond)).toBeLessThanOrEqual(
          (4 * 2 ** 22 * passes * 1000) / Math.max(1, Math.min(a, b)),
        );
      }),
    );
  });

  it('that are proven leave a forger at most one chance in a thousand', () => {
    for (const set of Object.values(parameterSets)) {
      const share = Number(provenPerMyriadDown(set)) / 10_000;
      expect(acceptanceOf(set, (1 - share) / 2)).toBeLessThanOrEqual(1e-3);
      expect(acceptanceOf(set, (1 - share) / 2)).toBeGreaterThan(0.9e-3);
      expect(acceptanceOf(set, 1 / 22)).toBeLessThan(1e-3);
    }
  });

  it('that are proven are a share of what is measured, nothing from nothing', () => {
    const zero = { operationsPerSecond: 0n, memoryBytes: 0n, bytesPerSecond: 0n };
    expect(provenRatesDown(parameterSets.production, zero)).toEqual(zero);
    const weak = { ...parameterSets.production, samples: 4 };
    expect(provenPerMyriadDown(weak)).toBe(0n);
  });
});
