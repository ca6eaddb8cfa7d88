import { expect, test } from 'vitest';
import { layerBytes, parameterSets } from '../../spec/parameters.ts';
import { bytesOfLayer, freeBytes, layersThatFit } from './free-memory.ts';

const GIB = 2 ** 30;
const { cpu, production } = parameterSets;

test('layers fill nearly all that is free, and leave some', () => {
  const layers = layersThatFit(cpu, 64 * GIB, 16);
  expect(layers % cpu.lanes).toBe(0);
  expect(layers * layerBytes(cpu)).toBeGreaterThan(60 * GIB);
  expect(layers * bytesOfLayer(cpu)).toBeLessThan(62.5 * GIB);
});

test('where too little is free, none fit', () => {
  expect(layersThatFit(production, 0.3 * GIB, 2)).toBe(0);
  expect(layersThatFit(cpu, 0, 128)).toBe(0);
});

test('a proof has no more than 65,536 layers, however much is free', () => {
  expect(layersThatFit(parameterSets.development, 1_000 * GIB, 4)).toBe(65_536);
});

test('some memory is free on this machine', () => {
  expect(freeBytes()).toBeGreaterThan(0);
});
