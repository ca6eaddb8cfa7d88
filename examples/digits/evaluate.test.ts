import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accuracyOf, evaluate, largestDifference, leastAccuracy, trainReference } from './evaluate.ts';
import { type Model, readModel } from './model.ts';
import { defaultSchedule } from './training.ts';

const schedule = { ...defaultSchedule, epochs: 8 };

test('the reference reads the held-out digits, and its accuracy can be computed anew from the weights', {
  timeout: 60_000,
}, async () => {
  const model = await trainReference(schedule);
  expect(model.accuracy).toBeGreaterThan(leastAccuracy);
  expect(accuracyOf(model)).toBe(model.accuracy);
  expect(await evaluate(model)).toEqual({ accuracy: model.accuracy, largestDifference: 0, passed: true });
});

test('a model whose weights or claims were changed does not pass', { timeout: 60_000 }, async () => {
  const model = await trainReference({ ...schedule, epochs: 2 });
  const bent: Model = {
    ...model,
    parameters: model.parameters.map((value, index) => (index === 7 ? value + 2e-5 : value)),
  };
  expect(largestDifference(model, bent)).toBeCloseTo(2e-5, 10);
  expect((await evaluate(bent)).passed).toBe(false);
  const boasting: Model = { ...model, accuracy: 1, parameters: model.parameters.map(() => 0) };
  expect(accuracyOf(boasting)).toBeLessThan(0.2);
  expect(largestDifference(model, { ...model, parameters: [] })).toBe(Number.POSITIVE_INFINITY);
  expect(largestDifference(model, { ...model, parameters: [Number.NaN, ...model.parameters.slice(1)] })).toBeNaN();
});

test('a file that is no model is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'digits-'));
  const model = await trainReference({ ...schedule, epochs: 1 });
  const file = join(folder, 'model.json');
  const wrong: unknown[] = [
    {},
    [],
    null,
    { ...model, parameters: [1] },
    { ...model, format: 'other' },
    { ...model, schedule: {} },
  ];
  for (const content of wrong) {
    await writeFile(file, JSON.stringify(content));
    expect(() => readModel(file)).toThrow('is no model');
  }
  await writeFile(file, JSON.stringify(model));
  expect(readModel(file)).toEqual(model);
  await rm(folder, { recursive: true });
});
