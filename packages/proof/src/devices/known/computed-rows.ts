import type { SourceId } from './figure-sources.ts';
import type { Figure, KnownDevice, KnownVendor } from './known-device.ts';

/** What the models of one generation share. */
export interface Generation {
  readonly vendor: KnownVendor;
  readonly architecture: string;
  readonly int8PerClock: number;
  readonly bf16PerClock: number;
  readonly source: SourceId;
}

/** One model: the figures as literals, and the shape that they are held against. */
export interface ModelRow {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly memoryGiB: number;
  readonly int8: number;
  readonly bf16: number;
  readonly bandwidth: number;
  readonly bandwidthUpTo?: number;
  readonly units: number;
  readonly mhz: number;
  readonly bits: number;
  readonly gbps: number;
  readonly source?: SourceId;
  readonly bandwidthSource?: SourceId;
  readonly notes?: readonly string[];
}

/**
 * Rows whose figures follow from the shape. They are written out all the same: a slip in a literal or in the shape is found by
 * the test that multiplies them.
 */
export function computedRows(generation: Generation, rows: readonly ModelRow[]): readonly KnownDevice[] {
  return rows.map((row) => toKnownDevice(generation, row));
}

function toKnownDevice(generation: Generation, row: ModelRow): KnownDevice {
  const { vendor, architecture, int8PerClock, bf16PerClock } = generation;
  const source = row.source ?? generation.source;
  const rate = (value: number, perClock: number): Figure => ({
    value,
    basis: 'computed',
    source,
    arithmetic: `${row.units} × ${row.mhz} MHz × ${perClock}`,
  });
  return {
    name: row.name,
    aliases: row.aliases ?? [],
    vendor,
    architecture,
    memoryGiB: row.memoryGiB,
    int8Tops: rate(row.int8, int8PerClock),
    bf16Tflops: rate(row.bf16, bf16PerClock),
    bandwidthGBps: bandwidthOf(row, source),
    shape: { multiprocessors: row.units, boostMhz: row.mhz, int8PerClock, bf16PerClock },
    bus: { widthBits: row.bits, gigabitsPerSecond: row.gbps },
    notes: row.notes ?? [],
  };
}

/** Vendors round what the bus gives, down to 6 TB/s for 6144 GB/s: then the figure is theirs and not computed. */
function bandwidthOf(row: ModelRow, source: SourceId): Figure {
  const { bandwidth: value, bandwidthUpTo: upTo, bits, gbps } = row;
  const range = upTo === undefined ? {} : { upTo };
  const from = { ...range, source: row.bandwidthSource ?? source };
  if (Math.abs((bits * gbps) / 8 - value) >= 0.1) return { value, ...from, basis: 'stated' };
  return { value, ...from, basis: 'computed', arithmetic: `${bits} bits × ${gbps} Gb/s ÷ 8` };
}
