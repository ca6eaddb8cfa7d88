import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layerBytes, parameterSets, rowBytes } from '../../spec/parameters.ts';
import { layOut, memoryBytes, shareOf } from './layout.ts';

const sets = fc.constantFrom(...Object.values(parameterSets));
const GIB = 2 ** 30;

test('shares are every unit once, in order, and differ by one at most', () => {
  fc.assert(
    fc.property(sets, fc.integer({ min: 1, max: 128 }), (parameters, workers) => {
      const shares = Array.from({ length: workers }, (_, worker) => shareOf(parameters, worker, workers));
      let next = 0;
      for (const { firstUnit, units } of shares) {
        expect(firstUnit).toBe(next);
        next += units;
      }
      expect(next).toBe(rowBytes(parameters));
      const sizes = shares.map(({ units }) => units);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test('every layer has its place in memories below 4 GiB, up to 256 GiB in all', () => {
  fc.assert(
    fc.property(
      sets,
      fc.integer({ min: 1, max: 128 }),
      fc.integer({ min: 1, max: 65_536 }),
      (parameters, workers, layers) => {
        fc.pre(layers * layerBytes(parameters) <= 256 * GIB);
        const layout = layOut(parameters, shareOf(parameters, workers - 1, workers), layers, 12_000);
        const banks = Math.ceil(layers / layout.layersEach);
        let weights = 0;
        for (let bank = 0; bank < banks; bank++) {
          const bytes = memoryBytes(layout, layers, bank);
          expect(bytes).toBeLessThan(4 * GIB);
          weights += bytes - layout.weights;
        }
        expect(weights).toBe(layers * layout.layerBytes);
      },
    ),
  );
});

test('what a worker holds does not overlap', () => {
  const { seed, keys, packed, values, codes, nodes, weights } = layOut(
    parameterSets.cpu,
    { firstUnit: 0, units: 100 },
    1_000,
    12_345,
  );
  const starts = [12_345, seed, keys, packed, values, codes, nodes, weights];
  const sizes = [0, 32, 128 * 4, 128 * 512, 128 * 2048, 128 * 100, 1_002 * 32];
  for (const [index, size] of sizes.entries()) {
    expect((starts[index] ?? 0) + size).toBeLessThanOrEqual(starts[index + 1] ?? 0);
  }
});
