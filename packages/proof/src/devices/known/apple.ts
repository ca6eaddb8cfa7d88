import type { SourceId } from './figure-sources.ts';
import type { Figure, KnownDevice } from './known-device.ts';

interface Row {
  readonly name: string;
  /**
   * Binary32 products with all GPU cores; Apple gives no other rate, and none for the later chips. The name is sold with fewer
   * cores too.
   */
  readonly teraflops?: {
    readonly value: number;
    readonly cores: number;
    readonly fewestCores: number;
    readonly source: SourceId;
  };
  readonly bandwidth: number;
  /** Where the chip with all cores has more. */
  readonly bandwidthUpTo?: number;
  readonly source: SourceId;
}

const NO_INT8 = 'has no int8 dot product that a source gives a rate for';
const BINARY32 = 'the 16-bit figure is that of binary32';
const NO_RATE = 'Apple has not published a rate, and other sources differ';

function rateOf({ value, cores, fewestCores, source }: NonNullable<Row['teraflops']>): Figure {
  const least = Math.round(((value * fewestCores) / cores) * 10) / 10;
  const arithmetic = `${value} × ${fewestCores} of ${cores} GPU cores`;
  return { value: least, upTo: value, basis: 'computed', source, arithmetic };
}

function apple({ name, teraflops, bandwidth, bandwidthUpTo, source }: Row): KnownDevice {
  return {
    name,
    aliases: [],
    vendor: 'apple',
    architecture: 'Apple silicon',
    memoryGiB: null,
    int8Tops: null,
    bf16Tflops: teraflops === undefined ? null : rateOf(teraflops),
    bandwidthGBps: {
      value: bandwidth,
      ...(bandwidthUpTo === undefined ? {} : { upTo: bandwidthUpTo }),
      basis: 'stated',
      source,
    },
    notes: [NO_INT8, teraflops === undefined ? NO_RATE : BINARY32],
  };
}

// biome-ignore format: a table reads best as one
export const appleDevices: readonly KnownDevice[] = [
  apple({ name: 'Apple M1', teraflops: { value: 2.6, cores: 8, fewestCores: 7, source: 'apple-flops' }, bandwidth: 68.25, source: 'apple-newsroom' }),
  apple({ name: 'Apple M1 Pro', teraflops: { value: 5.2, cores: 16, fewestCores: 14, source: 'apple-flops' }, bandwidth: 204.8, source: 'apple-newsroom' }),
  apple({ name: 'Apple M1 Max', teraflops: { value: 10.4, cores: 32, fewestCores: 24, source: 'apple-flops' }, bandwidth: 409.6, source: 'apple-newsroom' }),
  apple({ name: 'Apple M1 Ultra', teraflops: { value: 21, cores: 64, fewestCores: 48, source: 'apple-flops' }, bandwidth: 819.2, source: 'apple-newsroom' }),
  apple({ name: 'Apple M2', teraflops: { value: 3.6, cores: 10, fewestCores: 8, source: 'apple-flops' }, bandwidth: 102.4, source: 'apple-m4' }),
  apple({ name: 'Apple M2 Pro', teraflops: { value: 6.8, cores: 19, fewestCores: 16, source: 'apple-newsroom' }, bandwidth: 204.8, source: 'apple-m4' }),
  apple({ name: 'Apple M2 Max', teraflops: { value: 13.6, cores: 38, fewestCores: 30, source: 'apple-newsroom' }, bandwidth: 409.6, source: 'apple-newsroom' }),
  apple({ name: 'Apple M2 Ultra', teraflops: { value: 27.2, cores: 76, fewestCores: 60, source: 'apple-flops' }, bandwidth: 819.2, source: 'apple-newsroom' }),
  apple({ name: 'Apple M3', bandwidth: 102.4, source: 'apple-m4' }),
  apple({ name: 'Apple M3 Pro', bandwidth: 153.6, source: 'apple-m4' }),
  apple({ name: 'Apple M3 Max', bandwidth: 307.2, bandwidthUpTo: 409.6, source: 'apple-newsroom' }),
  apple({ name: 'Apple M3 Ultra', bandwidth: 819.2, source: 'apple-newsroom' }),
  apple({ name: 'Apple M4', bandwidth: 120, source: 'apple-m4' }),
  apple({ name: 'Apple M4 Pro', bandwidth: 273, source: 'apple-m4' }),
  apple({ name: 'Apple M4 Max', bandwidth: 410, bandwidthUpTo: 546, source: 'apple-m4' }),
];
