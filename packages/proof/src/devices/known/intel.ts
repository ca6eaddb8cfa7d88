import type { SourceId } from './figure-sources.ts';
import type { Figure, KnownDevice } from './known-device.ts';

const stated = (value: number, source: SourceId): Figure => ({ value, basis: 'stated', source });

/** 16-bit products run at half of the rate of int8 on Intel's matrix engines (XMX). */
const halfOfInt8 = (int8: number, source: SourceId): Figure => ({
  value: int8 / 2,
  basis: 'computed',
  source,
  arithmetic: `${int8} int8 ÷ 2`,
});

interface Row {
  readonly name: string;
  readonly architecture: string;
  readonly memoryGiB: number;
  readonly int8: number;
  readonly bandwidth: number;
  readonly bits: number;
  readonly gbps: number;
  /** Of the bandwidth. */
  readonly source: SourceId;
}

const arc = ({ name, architecture, memoryGiB, int8, bandwidth, bits, gbps, source }: Row): KnownDevice => ({
  name,
  aliases: [],
  vendor: 'intel',
  architecture,
  memoryGiB,
  int8Tops: stated(int8, 'intel-arc'),
  bf16Tflops: halfOfInt8(int8, 'intel-arc'),
  bandwidthGBps: stated(bandwidth, source),
  bus: { widthBits: bits, gigabitsPerSecond: gbps },
  notes: [],
});

const max1550: KnownDevice = {
  name: 'Intel(R) Data Center GPU Max 1550',
  aliases: [],
  vendor: 'intel',
  architecture: 'Xe-HPC',
  memoryGiB: 128,
  int8Tops: { value: 1677.7, basis: 'computed', source: 'intel-max', arithmetic: '128 × 1600 MHz × 8 × 1024' },
  bf16Tflops: { value: 838.9, basis: 'computed', source: 'intel-max', arithmetic: '128 × 1600 MHz × 8 × 512' },
  bandwidthGBps: stated(3276.8, 'intel-max'),
  bus: { widthBits: 8192, gigabitsPerSecond: 3.2 },
  notes: ['two stacks; drivers may show each as a device of its own, with half of everything'],
};

// biome-ignore format: a table reads best as one
export const intelDevices: readonly KnownDevice[] = [
  arc({ name: 'Intel(R) Arc(TM) A380 Graphics', architecture: 'Xe-HPG', memoryGiB: 6, int8: 66, bandwidth: 186, bits: 96, gbps: 15.5, source: 'intel-arc-a380' }),
  arc({ name: 'Intel(R) Arc(TM) A750 Graphics', architecture: 'Xe-HPG', memoryGiB: 8, int8: 229, bandwidth: 512, bits: 256, gbps: 16, source: 'intel-arc-a' }),
  arc({ name: 'Intel(R) Arc(TM) A770 Graphics', architecture: 'Xe-HPG', memoryGiB: 8, int8: 262, bandwidth: 512, bits: 256, gbps: 16, source: 'intel-arc' }),
  arc({ name: 'Intel(R) Arc(TM) A770 Graphics', architecture: 'Xe-HPG', memoryGiB: 16, int8: 262, bandwidth: 560, bits: 256, gbps: 17.5, source: 'intel-arc-a' }),
  arc({ name: 'Intel(R) Arc(TM) B570 Graphics', architecture: 'Xe2-HPG', memoryGiB: 10, int8: 203, bandwidth: 380, bits: 160, gbps: 19, source: 'intel-b570' }),
  arc({ name: 'Intel(R) Arc(TM) B580 Graphics', architecture: 'Xe2-HPG', memoryGiB: 12, int8: 233, bandwidth: 456, bits: 192, gbps: 19, source: 'intel-arc' }),
  max1550,
];
