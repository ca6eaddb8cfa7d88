import { describe, expect, it } from 'vitest';
import { nobleHash } from './noble.ts';
import { layerBytes, parameterSets } from './parameters.ts';
import { phaseOf } from './phase.ts';
import { drawSamples } from './session.ts';

const sets = Object.values(parameterSets);

describe.each(sets)('the $name set', (set) => {
  it('reads every layer once in each lane of a bandwidth pass, and all of them in each row of a compute pass', () => {
    const layers = 6 * set.lanes;
    const compute = phaseOf(set, 'compute', layers);
    expect(Array.from({ length: compute.steps }, (_, step) => compute.layerOf(set.computeRows - 1, step))).toEqual(
      Array.from({ length: layers }, (_, layer) => layer),
    );
    const bandwidth = phaseOf(set, 'bandwidth', layers);
    const read = Array.from({ length: set.lanes }, (_, lane) =>
      Array.from({ length: bandwidth.steps }, (_, step) => bandwidth.layerOf(lane * set.laneRows, step)),
    );
    expect(read.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: layers }, (_, layer) => layer));
  });

  it('has rows in powers of two, whole groups, chunks and blocks', () => {
    for (const rows of [set.computeRows, set.lanes * set.laneRows]) expect(Math.log2(rows) % 1).toBe(0);
    expect(set.width % 256).toBe(0);
    expect(layerBytes(set) % 2 ** 16).toBe(0);
  });

  it('draws samples within its phase, spread over all of it', () => {
    const phase = phaseOf(set, 'compute', 4 * set.lanes);
    const draws = [1, 2, 3, 4].flatMap((byte) =>
      drawSamples(nobleHash, set, phase, 7, nobleHash(Uint8Array.of(byte)), nobleHash(Uint8Array.of(9))),
    );
    expect(draws).toHaveLength(4 * set.samples);
    for (const { pass, row, step, output } of draws) {
      expect(pass >= 0 && pass < 7 && row >= 0 && row < phase.rows).toBe(true);
      expect(step >= 0 && step < phase.steps && output >= 0 && output < set.width).toBe(true);
    }
    expect(new Set(draws.map(({ pass }) => pass)).size).toBe(7);
    expect(new Set(draws.map(({ step }) => step)).size).toBe(phase.steps);
  });
});

describe('samples', () => {
  const set = parameterSets.development;
  const phase = phaseOf(set, 'compute', 4);
  const [root, beacon] = [nobleHash(Uint8Array.of(1)), nobleHash(Uint8Array.of(2))];

  it('change altogether with the commitment, and with the beacon', () => {
    const own = drawSamples(nobleHash, set, phase, 7, root, beacon);
    for (const other of [
      drawSamples(nobleHash, set, phase, 7, nobleHash(root), beacon),
      drawSamples(nobleHash, set, phase, 7, root, nobleHash(beacon)),
      drawSamples(nobleHash, set, phaseOf(set, 'bandwidth', 4), 7, root, beacon),
    ]) {
      expect(own.filter((sample, index) => sample.output === other[index]?.output).length).toBeLessThan(20);
    }
  });
});
