import type { SourceId } from './figure-sources.ts';
import type { DeviceShape, Figure, KnownDevice, MemoryBus } from './known-device.ts';

const stated = (value: number, source: SourceId): Figure => ({ value, basis: 'stated', source });

/** The dense half of a figure that is quoted with sparsity. */
const halved = (sparse: number, source: SourceId): Figure => ({
  value: sparse / 2,
  basis: 'halved',
  source,
  arithmetic: `${sparse} with sparsity ÷ 2`,
});

const computed = (value: number, source: SourceId, arithmetic: string): Figure => ({
  value,
  basis: 'computed',
  source,
  arithmetic,
});

type Row = Omit<KnownDevice, 'vendor' | 'aliases' | 'notes'> & Partial<Pick<KnownDevice, 'aliases' | 'notes'>>;
const nvidia = (row: Row): KnownDevice => ({
  ...row,
  vendor: 'nvidia',
  aliases: row.aliases ?? [],
  notes: row.notes ?? [],
});

const shapeOf = (multiprocessors: number, boostMhz: number, int8PerClock: number): DeviceShape => ({
  multiprocessors,
  boostMhz,
  int8PerClock,
  bf16PerClock: int8PerClock / 2,
});
const busOf = (widthBits: number, gigabitsPerSecond: number): MemoryBus => ({ widthBits, gigabitsPerSecond });

const NO_BFLOAT16 = 'has no bfloat16: the figure is that of binary16';

const t4: KnownDevice = nvidia({
  name: 'Tesla T4',
  aliases: ['NVIDIA T4'],
  architecture: 'Turing',
  memoryGiB: 16,
  int8Tops: computed(130.3, 'tesla-t4', '40 × 1590 MHz × 2048'),
  bf16Tflops: computed(65.1, 'tesla-t4', '40 × 1590 MHz × 1024'),
  bandwidthGBps: stated(320, 'tesla-t4'),
  shape: shapeOf(40, 1590, 2048),
  bus: busOf(256, 10),
  notes: [NO_BFLOAT16, '70 W hold its clock below the boost clock under load'],
});

const ampereServers: readonly KnownDevice[] = [
  nvidia({
    name: 'NVIDIA A2',
    architecture: 'Ampere',
    memoryGiB: 16,
    int8Tops: stated(36, 'nvidia-ampere-servers'),
    bf16Tflops: stated(18, 'nvidia-ampere-servers'),
    bandwidthGBps: stated(200, 'nvidia-ampere-servers'),
    shape: shapeOf(10, 1770, 2048),
    bus: busOf(128, 12.5),
  }),
  nvidia({
    name: 'NVIDIA A10',
    architecture: 'Ampere',
    memoryGiB: 24,
    int8Tops: stated(250, 'nvidia-ampere-servers'),
    bf16Tflops: stated(125, 'nvidia-ampere-servers'),
    bandwidthGBps: stated(600, 'nvidia-ampere-servers'),
    shape: shapeOf(72, 1695, 2048),
    bus: busOf(384, 12.5),
  }),
  nvidia({
    name: 'NVIDIA A10G',
    architecture: 'Ampere',
    memoryGiB: 24,
    int8Tops: stated(140, 'nvidia-ampere-servers'),
    bf16Tflops: stated(70, 'nvidia-ampere-servers'),
    bandwidthGBps: stated(600, 'nvidia-ampere-servers'),
    bus: busOf(384, 12.5),
  }),
  nvidia({
    name: 'NVIDIA A30',
    architecture: 'Ampere',
    memoryGiB: 24,
    int8Tops: stated(330, 'nvidia-ampere-servers'),
    bf16Tflops: stated(165, 'nvidia-ampere-servers'),
    bandwidthGBps: stated(933, 'nvidia-ampere-servers'),
    shape: shapeOf(56, 1440, 4096),
    bus: busOf(3072, 2.43),
  }),
  nvidia({
    name: 'NVIDIA A40',
    architecture: 'Ampere',
    memoryGiB: 48,
    int8Tops: stated(299.3, 'nvidia-a40'),
    bf16Tflops: stated(149.7, 'nvidia-a40'),
    bandwidthGBps: stated(696, 'nvidia-a40'),
    shape: shapeOf(84, 1740, 2048),
    bus: busOf(384, 14.5),
  }),
];

const a100 = (name: string, aliases: readonly string[], memoryGiB: number, bandwidth: number, gbps: number) =>
  nvidia({
    name,
    aliases,
    architecture: 'Ampere',
    memoryGiB,
    int8Tops: stated(624, 'a100-rates'),
    bf16Tflops: stated(312, 'a100-rates'),
    bandwidthGBps: stated(bandwidth, 'a100-memory'),
    shape: shapeOf(108, 1410, 4096),
    bus: busOf(5120, gbps),
  });

const a100s: readonly KnownDevice[] = [
  a100('NVIDIA A100-SXM4-40GB', [], 40, 1555, 2.43),
  a100('NVIDIA A100-SXM4-80GB', [], 80, 2039, 3.186),
  a100('NVIDIA A100-PCIE-40GB', [], 40, 1555, 2.43),
  a100('NVIDIA A100 80GB PCIe', [], 80, 1935, 3.024),
];

const adaServers: readonly KnownDevice[] = [
  nvidia({
    name: 'NVIDIA L4',
    architecture: 'Ada',
    memoryGiB: 24,
    int8Tops: halved(485, 'nvidia-l4'),
    bf16Tflops: halved(242, 'nvidia-l4'),
    bandwidthGBps: stated(300, 'nvidia-l4'),
    shape: shapeOf(58, 2040, 2048),
    bus: busOf(192, 12.5),
    notes: ['72 W hold its clock below the boost clock under load'],
  }),
  nvidia({
    name: 'NVIDIA L40',
    architecture: 'Ada',
    memoryGiB: 48,
    int8Tops: stated(362, 'l40-l40s'),
    bf16Tflops: stated(181.05, 'l40-l40s'),
    bandwidthGBps: stated(864, 'l40-l40s'),
    shape: shapeOf(142, 2490, 1024),
    bus: busOf(384, 18),
    notes: ['the datasheet gives its tensor cores half of the rate of the L40S, for all formats'],
  }),
  nvidia({
    name: 'NVIDIA L40S',
    architecture: 'Ada',
    memoryGiB: 48,
    int8Tops: stated(732.9, 'l40s-rates'),
    bf16Tflops: stated(366.4, 'l40s-rates'),
    bandwidthGBps: stated(864, 'l40-l40s'),
    shape: shapeOf(142, 2520, 2048),
    bus: busOf(384, 18),
    notes: ['the datasheet says 362.05 for bf16, which is neither half of its own 733 nor what the shape gives'],
  }),
];

const HOPPER_SXM = shapeOf(132, 1830, 8192);

const hopper: readonly KnownDevice[] = [
  nvidia({
    name: 'NVIDIA H100 80GB HBM3',
    aliases: ['NVIDIA H100 SXM', 'NVIDIA H100 SXM5'],
    architecture: 'Hopper',
    memoryGiB: 80,
    int8Tops: stated(1978.9, 'h100-rates'),
    bf16Tflops: stated(989.4, 'h100-rates'),
    bandwidthGBps: stated(3350, 'h100-rates'),
    shape: HOPPER_SXM,
    bus: busOf(5120, 5.23),
  }),
  nvidia({
    name: 'NVIDIA H100 PCIe',
    architecture: 'Hopper',
    memoryGiB: 80,
    int8Tops: halved(3026, 'h100-pcie'),
    bf16Tflops: stated(756, 'nvidia-hopper'),
    bandwidthGBps: stated(2039, 'nvidia-hopper'),
    bus: busOf(5120, 3.186),
  }),
  nvidia({
    name: 'NVIDIA H100 NVL',
    architecture: 'Hopper',
    memoryGiB: 94,
    int8Tops: halved(3341, 'nvidia-hopper'),
    bf16Tflops: halved(1671, 'nvidia-hopper'),
    bandwidthGBps: stated(3900, 'nvidia-hopper'),
  }),
  nvidia({
    name: 'NVIDIA H200',
    aliases: ['NVIDIA H200 SXM', 'NVIDIA H200 141GB HBM3e'],
    architecture: 'Hopper',
    memoryGiB: 141,
    int8Tops: halved(3958, 'h200-nvl'),
    bf16Tflops: stated(989, 'h200-b300'),
    bandwidthGBps: stated(4800, 'h200-b300'),
    shape: HOPPER_SXM,
    bus: busOf(6144, 6.25),
  }),
  nvidia({
    name: 'NVIDIA H200 NVL',
    architecture: 'Hopper',
    memoryGiB: 141,
    int8Tops: halved(3341, 'h200-nvl'),
    bf16Tflops: halved(1671, 'h200-nvl'),
    bandwidthGBps: stated(4800, 'h200-nvl'),
    bus: busOf(6144, 6.25),
  }),
  nvidia({
    name: 'NVIDIA GH200 480GB',
    architecture: 'Hopper',
    memoryGiB: 96,
    int8Tops: stated(1979, 'nvidia-hopper'),
    bf16Tflops: stated(990, 'nvidia-hopper'),
    bandwidthGBps: stated(4000, 'nvidia-hopper'),
    shape: HOPPER_SXM,
    notes: ['the 480 GB of its name are the memory of its processor'],
  }),
  nvidia({
    name: 'NVIDIA GH200 144G HBM3e',
    architecture: 'Hopper',
    memoryGiB: 144,
    int8Tops: stated(1979, 'nvidia-hopper'),
    bf16Tflops: stated(990, 'nvidia-hopper'),
    bandwidthGBps: stated(4900, 'nvidia-hopper'),
    shape: HOPPER_SXM,
  }),
];

const blackwell: readonly KnownDevice[] = [
  nvidia({
    name: 'NVIDIA B100',
    architecture: 'Blackwell',
    memoryGiB: 192,
    int8Tops: stated(3500, 'nvidia-blackwell'),
    bf16Tflops: stated(1750, 'nvidia-blackwell'),
    bandwidthGBps: stated(8000, 'nvidia-blackwell'),
  }),
  nvidia({
    name: 'NVIDIA B200',
    architecture: 'Blackwell',
    memoryGiB: 180,
    int8Tops: stated(4500, 'b200-b300'),
    bf16Tflops: stated(2250, 'b200-b300'),
    bandwidthGBps: { ...stated(7700, 'b200-b300'), upTo: 8000 },
    bus: busOf(8192, 7.6),
    notes: ['quoted with 180 or 192 GB and 7.7 or 8 TB/s'],
  }),
  nvidia({
    name: 'NVIDIA GB200',
    architecture: 'Blackwell',
    memoryGiB: 186,
    int8Tops: stated(5000, 'b200-rates'),
    bf16Tflops: stated(2500, 'b200-rates'),
    bandwidthGBps: stated(8000, 'nvidia-blackwell'),
    bus: busOf(8192, 7.8),
  }),
  nvidia({
    name: 'NVIDIA B300',
    aliases: ['NVIDIA B300 SXM6 AC'],
    architecture: 'Blackwell',
    memoryGiB: 288,
    int8Tops: stated(150, 'b200-b300'),
    bf16Tflops: stated(2250, 'b200-b300'),
    bandwidthGBps: stated(8000, 'b200-b300'),
    bus: busOf(8192, 7.8),
    notes: ['its int8 was cut for the sake of 4-bit formats; other sources still give it the 4500 of the B200'],
  }),
];

/** Models for servers. Most datasheets quote them with 2:4 sparsity; the figures here are the dense ones. */
export const nvidiaDataCenter: readonly KnownDevice[] = [
  t4,
  ...ampereServers,
  ...a100s,
  ...adaServers,
  ...hopper,
  ...blackwell,
];
