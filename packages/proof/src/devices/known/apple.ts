import type { SourceId } from './figure-sources.ts';
import type { Figure, KnownDevice } from './known-device.ts';

/** One name is sold with several numbers of GPU cores: from the smallest to the largest. */
interface Row {
  readonly name: string;
  /** Binary32 products; Apple gives no other rate. Absent where Apple has not published any. */
  readonly teraflops?: { readonly value: number; readonly upTo?: number; readonly source: SourceId };
  readonly bandwidth: { readonly value: number; readonly upTo?: number; readonly source: SourceId };
}

const stated = ({ value, upTo, source }: Row['bandwidth']): Figure => ({
  value,
  ...(upTo === undefined ? {} : { upTo }),
  basis: 'stated',
  source,
});

const NO_INT8 = 'has no int8 dot product that a source gives a rate for; the 16-bit figure is that of binary32';
const NO_RATE = `${NO_INT8}, which Apple has not published for this chip`;

const apple = ({ name, teraflops, bandwidth }: Row): KnownDevice => ({
  name,
  aliases: [],
  vendor: 'apple',
  architecture: 'Apple silicon',
  memoryGiB: null,
  int8Tops: null,
  bf16Tflops: teraflops === undefined ? null : stated(teraflops),
  bandwidthGBps: stated(bandwidth),
  note: teraflops === undefined ? NO_RATE : NO_INT8,
});

// biome-ignore format: a table reads best as one
export const appleDevices: readonly KnownDevice[] = [
  apple({ name: 'Apple M1', teraflops: { value: 2.3, upTo: 2.6, source: 'apple-flops' }, bandwidth: { value: 68.25, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M1 Pro', teraflops: { value: 4.5, upTo: 5.2, source: 'apple-flops' }, bandwidth: { value: 204.8, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M1 Max', teraflops: { value: 7.8, upTo: 10.4, source: 'apple-flops' }, bandwidth: { value: 409.6, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M1 Ultra', teraflops: { value: 15.9, upTo: 21, source: 'apple-flops' }, bandwidth: { value: 819.2, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M2', teraflops: { value: 2.9, upTo: 3.6, source: 'apple-flops' }, bandwidth: { value: 102.4, source: 'apple-m4' } }),
  apple({ name: 'Apple M2 Pro', teraflops: { value: 5.7, upTo: 6.8, source: 'apple-newsroom' }, bandwidth: { value: 204.8, source: 'apple-m4' } }),
  apple({ name: 'Apple M2 Max', teraflops: { value: 10.7, upTo: 13.6, source: 'apple-newsroom' }, bandwidth: { value: 409.6, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M2 Ultra', teraflops: { value: 21.5, upTo: 27.2, source: 'apple-flops' }, bandwidth: { value: 819.2, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M3', bandwidth: { value: 102.4, source: 'apple-m4' } }),
  apple({ name: 'Apple M3 Pro', bandwidth: { value: 153.6, source: 'apple-m4' } }),
  apple({ name: 'Apple M3 Max', bandwidth: { value: 307.2, upTo: 409.6, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M3 Ultra', bandwidth: { value: 819.2, source: 'apple-newsroom' } }),
  apple({ name: 'Apple M4', bandwidth: { value: 120, source: 'apple-m4' } }),
  apple({ name: 'Apple M4 Pro', bandwidth: { value: 273, source: 'apple-m4' } }),
  apple({ name: 'Apple M4 Max', bandwidth: { value: 410, upTo: 546, source: 'apple-m4' } }),
];
