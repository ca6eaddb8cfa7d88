import fc from 'fast-check';
import { expect, test } from 'vitest';
import { trainingCount } from './digits-data.ts';
import { batchesOf, defaultSchedule } from './training.ts';

test('the steps of an epoch hold every training row once, in an order of their own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 200 }), (epoch, batch) => {
      const batches = batchesOf({ ...defaultSchedule, batch }, epoch);
      expect(batches.every((rows) => rows.length > 0 && rows.length <= batch)).toBe(true);
      const rows = batches.flat();
      expect(rows.length).toBe(trainingCount);
      expect(new Set(rows).size).toBe(trainingCount);
      expect(rows).not.toEqual(batchesOf({ ...defaultSchedule, batch }, epoch + 1).flat());
    }),
    { numRuns: 20 },
  );
});
