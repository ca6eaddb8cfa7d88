import type { SourceId } from './figure-sources.ts';

export type KnownVendor = 'nvidia' | 'amd' | 'intel' | 'apple';

/**
 * How a figure came out of its source: as it stands there; half of what is quoted with sparsity; or computed from what stands
 * there (multiprocessors × clock × operations per clock, bus width × data rate).
 */
export type Basis = 'stated' | 'halved' | 'computed';

/** A figure of a datasheet. No device reaches it, and nothing here is measured. */
export interface Figure {
  readonly value: number;
  /** The largest among variants that carry one name and cannot be told apart; `value` is the smallest then. */
  readonly upTo?: number;
  readonly basis: Basis;
  readonly source: SourceId;
  /** The sum that was done, in figures, wherever `basis` is not `stated`. */
  readonly arithmetic?: string;
}

/** What the figures can be checked against. Clocks are boost clocks as the vendor gives them. */
export interface DeviceShape {
  /** NVIDIA's multiprocessors, AMD's compute units, Intel's Xe-cores. */
  readonly multiprocessors: number;
  readonly boostMhz: number;
  /** Operations per clock of one multiprocessor, a multiplication and an addition counted as two, without sparsity. */
  readonly int8PerClock: number;
  readonly bf16PerClock: number;
}

export interface MemoryBus {
  readonly widthBits: number;
  /** Gigabits per second on each wire. */
  readonly gigabitsPerSecond: number;
}

/** A model that is for sale somewhere. `null` means that nothing reliable is known, never zero. */
export interface KnownDevice {
  /** As the vendor's driver prints it. */
  readonly name: string;
  /** Other things that drivers print for it. */
  readonly aliases: readonly string[];
  readonly vendor: KnownVendor;
  readonly architecture: string;
  /** Nominal; null where one name is sold with many sizes. What a driver reports is up to 8 % less. */
  readonly memoryGiB: number | null;
  /** Tera-operations per second: int8 products, int32 sums, no sparsity. */
  readonly int8Tops: Figure | null;
  /** Teraflops: bfloat16 products (binary16 or binary32 where a device has no bfloat16), binary32 sums, no sparsity. */
  readonly bf16Tflops: Figure | null;
  /** 10⁹ bytes per second. */
  readonly bandwidthGBps: Figure | null;
  readonly shape?: DeviceShape;
  readonly bus?: MemoryBus;
  /** What a reader of the figures has to know besides. */
  readonly notes: readonly string[];
}
