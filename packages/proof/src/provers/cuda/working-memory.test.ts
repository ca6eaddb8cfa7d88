import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerBytes, parameterSets } from '../../spec/parameters.ts';
import { fittingLayers, placeWorkingMemory, workingBytes } from './working-memory.ts';

const GIB = 2 ** 30;

describe('working memory', () => {
  it('takes less than a hundredth of what a large device has', () => {
    const layers = fittingLayers(parameterSets.production, 139 * GIB);
    expect(workingBytes(parameterSets.production, layers)).toBeLessThan(139 * GIB * 0.01);
    expect(layers * layerBytes(parameterSets.production)).toBeGreaterThan(139 * GIB * 0.98);
  });

  it('fits with the layers into what is free, and another lane of layers would not', () => {
    const sets = fc.constantFrom(...Object.values(parameterSets));
    fc.assert(
      fc.property(sets, fc.integer({ min: 0, max: 4 * GIB }), (parameters, freeBytes) => {
        const bytesOf = (layers: number) => layers * layerBytes(parameters) + workingBytes(parameters, layers);
        const layers = fittingLayers(parameters, freeBytes);
        expect(layers % parameters.lanes).toBe(0);
        if (layers > 0) expect(bytesOf(layers)).toBeLessThanOrEqual(freeBytes);
        if (layers < 65_536 - parameters.lanes) expect(bytesOf(layers + parameters.lanes)).toBeGreaterThan(freeBytes);
      }),
    );
  });

  it('has its parts one after the other, each aligned, within its bytes', () => {
    const start = 0x7f0000000000n;
    const places = Object.values(placeWorkingMemory(parameterSets.cpu, 8, start));
    expect(places[0]).toBe(start);
    expect(places).toEqual(places.toSorted((a, b) => Number(a - b)));
    expect(new Set(places).size).toBe(places.length);
    expect(places.every((place) => place % 256n === 0n)).toBe(true);
    expect(Number((places.at(-1) ?? 0n) - start)).toBeLessThan(workingBytes(parameterSets.cpu, 8));
  });
});
