import { describe, expect, it } from 'vitest';
import { describeSource, type FigureSource, figureSources } from './figure-sources.ts';
import type { Figure, KnownDevice } from './known-device.ts';
import { knownDevices } from './known-devices.ts';

/** Datasheets round, and quote some memory clocks to two digits. */
const TOLERANCE = 0.03;

const label = ({ name, memoryGiB }: KnownDevice) => `${name}, ${memoryGiB ?? 'any'} GiB`;
const figuresOf = ({ int8Tops, bf16Tflops, bandwidthGBps }: KnownDevice): readonly Figure[] =>
  [int8Tops, bf16Tflops, bandwidthGBps].filter((figure) => figure !== null);

/** Where a figure is further from what the shape gives than datasheets round. */
function offFrom(figure: Figure | null, computed: number): boolean {
  if (figure === null) return false;
  return Math.abs(figure.value / computed - 1) > TOLERANCE;
}

describe('every known device', () => {
  it('has int8 and bf16 rates that follow from multiprocessors, clock and operations per clock', () => {
    const shaped = knownDevices.filter(({ shape }) => shape !== undefined);
    expect(shaped.length).toBeGreaterThan(80);
    const off = shaped.filter(({ shape, int8Tops, bf16Tflops }) => {
      if (shape === undefined) return false;
      const clocks = (shape.multiprocessors * shape.boostMhz) / 1e6;
      return offFrom(int8Tops, clocks * shape.int8PerClock) || offFrom(bf16Tflops, clocks * shape.bf16PerClock);
    });
    expect(off.map(label)).toEqual([]);
  });

  it('has a bandwidth that follows from bus width and data rate', () => {
    const withBus = knownDevices.filter(({ bus }) => bus !== undefined);
    expect(withBus.length).toBeGreaterThan(80);
    const off = withBus.filter(
      ({ bus, bandwidthGBps }) => bus && offFrom(bandwidthGBps, (bus.widthBits * bus.gigabitsPerSecond) / 8),
    );
    expect(off.map(label)).toEqual([]);
  });

  it('writes down the sum behind every figure that its source does not state', () => {
    const silent = knownDevices.filter((device) =>
      figuresOf(device).some(({ basis, arithmetic }) => (basis === 'stated') !== (arithmetic === undefined)),
    );
    expect(silent.map(label)).toEqual([]);
  });

  it('halves what is quoted with sparsity, and nothing else', () => {
    const halves = knownDevices.flatMap(figuresOf).filter(({ basis }) => basis === 'halved');
    expect(halves.length).toBeGreaterThan(5);
    for (const { value, arithmetic } of halves) expect(arithmetic).toBe(`${value * 2} with sparsity ÷ 2`);
  });

  it('has figures above zero, as what is not known is null', () => {
    const wrong = knownDevices.filter((device) =>
      figuresOf(device).some(({ value, upTo }) => !(value > 0) || (upTo !== undefined && upTo <= value)),
    );
    expect(wrong.map(label)).toEqual([]);
    expect(knownDevices.filter(({ memoryGiB }) => memoryGiB !== null && !(memoryGiB > 0)).map(label)).toEqual([]);
  });

  it('is in the table once for each memory size', () => {
    const labels = knownDevices.map(label);
    expect(labels.filter((one, index) => labels.indexOf(one) !== index)).toEqual([]);
  });
});

describe('every source', () => {
  it('is used', () => {
    const used = new Set<string>(knownDevices.flatMap(figuresOf).map(({ source }) => source));
    expect(Object.keys(figureSources).filter((id) => !used.has(id))).toEqual([]);
  });

  it('that was compared has an address and a month, and one that was not says so', () => {
    const sources: readonly FigureSource[] = Object.values(figureSources);
    for (const { address, comparedIn } of sources) {
      expect(comparedIn === undefined || (address !== undefined && /^\d{4}-\d{2}$/.test(comparedIn))).toBe(true);
    }
    expect(describeSource('nvidia-ada')).toMatch(/, not re-checked$/);
    expect(describeSource('h200-nvl')).toMatch(/<https:[^>]+>, compared 2026-11$/);
  });
});

it('does not claim int8 rates of devices for which no source gives one', () => {
  expect(knownDevices.filter(({ vendor }) => vendor === 'apple').map(({ int8Tops }) => int8Tops)).toEqual(
    Array.from({ length: 15 }, () => null),
  );
});
