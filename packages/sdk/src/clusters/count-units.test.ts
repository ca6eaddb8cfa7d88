import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unitsToSign } from './count-units.ts';

const order = { prepay: 10, maxSeconds: 3_600 };
const START = 1_800_000_000_000;

describe('unitsToSign', () => {
  it('signs what was counted and the prepay ahead, for each device', () => {
    const view = { state: 'running' as const, countedFromMs: START, seenAtMs: START + 5_900 };
    expect(unitsToSign({ devices: 2 }, order, view, 0n)).toBe(30n);
  });

  it('signs nothing new for a member that has not answered since', () => {
    const silent = { state: 'running' as const, countedFromMs: START, seenAtMs: START + 5_000 };
    expect(unitsToSign({ devices: 2 }, order, silent, 30n)).toBe(30n);
  });

  it('signs nothing new for a member that is not seen running', () => {
    for (const state of ['unknown', 'attached', 'preparing', 'stopped', 'lost', 'closed', 'settled'] as const) {
      const view = { state, countedFromMs: START, seenAtMs: START + 900_000 };
      expect(unitsToSign({ devices: 2 }, order, view, 20n)).toBe(20n);
    }
  });

  it('never signs less than before, nor more than the lease holds, nor more than a prepay ahead of the clock', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.bigInt({ min: 0n, max: 10_000n }),
        (devices, elapsedMs, before) => {
          const view = { state: 'running' as const, countedFromMs: START, seenAtMs: START + elapsedMs };
          const units = unitsToSign({ devices }, order, view, before);
          const ahead = BigInt(devices) * BigInt(Math.floor(elapsedMs / 1000) + order.prepay);
          const most = BigInt(devices) * BigInt(order.maxSeconds);
          expect(units).toBeGreaterThanOrEqual(before);
          expect(units <= before || (units <= ahead && units <= most)).toBe(true);
        },
      ),
    );
  });
});
