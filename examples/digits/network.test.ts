import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Digits, pixelCount } from './digits-data.ts';
import { addGradients, countCorrect, initialParameters, parameterCount } from './network.ts';
import { makeRandom } from './random.ts';

const shape = { hidden: 5 };

function randomDigits(rows: number, seed: number): Digits {
  const random = makeRandom(seed);
  return {
    rows,
    pixels: Float64Array.from({ length: rows * pixelCount }, random),
    labels: Uint8Array.from({ length: rows }, () => Math.floor(random() * 10)),
  };
}

test('gradients are those of finite differences, for every parameter', () => {
  const digits = randomDigits(3, 1);
  const rows = [0, 1, 2];
  const parameters = initialParameters(shape, 2);
  const gradient = new Float64Array(parameterCount(shape));
  addGradients(shape, parameters, digits, rows, gradient);
  const step = 1e-6;
  const lossWith = (index: number, change: number): number => {
    const moved = Float64Array.from(parameters);
    moved[index] = moved[index]! + change;
    return addGradients(shape, moved, digits, rows, new Float64Array(gradient.length));
  };
  const worst = Math.max(
    ...gradient.map((value, index) => Math.abs(value - (lossWith(index, step) - lossWith(index, -step)) / (2 * step))),
  );
  expect(gradient.some((value) => Math.abs(value) > 0.01)).toBe(true);
  expect(worst).toBeLessThan(1e-7);
});

test('gradients of parts add up to those of the whole, however the rows are split', () => {
  const digits = randomDigits(8, 3);
  const parameters = initialParameters(shape, 4);
  const whole = new Float64Array(parameterCount(shape));
  const loss = addGradients(shape, parameters, digits, [0, 1, 2, 3, 4, 5, 6, 7], whole);
  fc.assert(
    fc.property(fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }), (owners) => {
      const sum = new Float64Array(whole.length);
      let parts = 0;
      for (let rank = 0; rank < 4; rank += 1) {
        const rows = owners.flatMap((owner, row) => (owner === rank ? [row] : []));
        parts += addGradients(shape, parameters, digits, rows, sum);
      }
      expect(parts).toBeCloseTo(loss, 10);
      expect(Math.max(...sum.map((value, index) => Math.abs(value - whole[index]!)))).toBeLessThan(1e-12);
    }),
  );
});

test('untrained weights are right about as often as chance', () => {
  const digits = randomDigits(1000, 5);
  const correct = countCorrect(shape, initialParameters(shape, 6), digits);
  expect(correct).toBeGreaterThan(40);
  expect(correct).toBeLessThan(250);
});
