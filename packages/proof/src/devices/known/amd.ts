import { computedRows, type Generation } from './computed-rows.ts';
import type { KnownDevice } from './known-device.ts';

/** Has no matrix instructions: int8 by DP4A (`v_dot4_i32_i8`), 16 bits by `v_dot2_f32_f16`. */
const rdna2: Generation = {
  vendor: 'amd',
  architecture: 'RDNA 2',
  int8PerClock: 512,
  bf16PerClock: 256,
  source: 'amd-rdna2',
};
/** WMMA runs int8 at the rate of bfloat16; only int4 is faster. */
const rdna3: Generation = { ...rdna2, architecture: 'RDNA 3', bf16PerClock: 512, source: 'amd-rdna3' };
const rdna4: Generation = {
  ...rdna2,
  architecture: 'RDNA 4',
  int8PerClock: 2048,
  bf16PerClock: 1024,
  source: 'amd-rdna4',
};
const cdna: Generation = {
  vendor: 'amd',
  architecture: 'CDNA',
  int8PerClock: 1024,
  bf16PerClock: 512,
  source: 'amd-instinct',
};
const cdna2: Generation = { ...cdna, architecture: 'CDNA 2', bf16PerClock: 1024 };
const cdna3: Generation = { ...cdna, architecture: 'CDNA 3', int8PerClock: 4096, bf16PerClock: 2048 };
const cdna4: Generation = { ...cdna, architecture: 'CDNA 4', int8PerClock: 8192, bf16PerClock: 4096 };

const NO_BFLOAT16 = 'has no matrix instructions and no bfloat16: int8 by DP4A, 16 bits by dot products of binary16';
const ONE_DIE = 'the package is two devices to the driver; the figures are those of one';

/** `units` are compute units. Figures of RX 9000 are quoted with sparsity by AMD and half of that here. */
// biome-ignore format: a table reads best as one
export const amdDevices: readonly KnownDevice[] = [
  ...computedRows(rdna2, [
    { name: 'AMD Radeon RX 6700 XT', memoryGiB: 12, int8: 52.9, bf16: 26.4, bandwidth: 384, units: 40, mhz: 2581, bits: 192, gbps: 16, notes: [NO_BFLOAT16] },
    { name: 'AMD Radeon RX 6800', memoryGiB: 16, int8: 64.7, bf16: 32.3, bandwidth: 512, units: 60, mhz: 2105, bits: 256, gbps: 16, notes: [NO_BFLOAT16] },
    { name: 'AMD Radeon RX 6800 XT', memoryGiB: 16, int8: 82.9, bf16: 41.5, bandwidth: 512, units: 72, mhz: 2250, bits: 256, gbps: 16, notes: [NO_BFLOAT16] },
    { name: 'AMD Radeon RX 6900 XT', memoryGiB: 16, int8: 92.2, bf16: 46.1, bandwidth: 512, units: 80, mhz: 2250, bits: 256, gbps: 16, notes: [NO_BFLOAT16] },
    { name: 'AMD Radeon RX 6950 XT', memoryGiB: 16, int8: 94.6, bf16: 47.3, bandwidth: 576, units: 80, mhz: 2310, bits: 256, gbps: 18, notes: [NO_BFLOAT16] },
  ]),
  ...computedRows(rdna3, [
    { name: 'AMD Radeon RX 7600', memoryGiB: 8, int8: 43.5, bf16: 43.5, bandwidth: 288, units: 32, mhz: 2655, bits: 128, gbps: 18 },
    { name: 'AMD Radeon RX 7600 XT', memoryGiB: 16, int8: 45.1, bf16: 45.1, bandwidth: 288, units: 32, mhz: 2755, bits: 128, gbps: 18 },
    { name: 'AMD Radeon RX 7700 XT', memoryGiB: 12, int8: 70.3, bf16: 70.3, bandwidth: 432, units: 54, mhz: 2544, bits: 192, gbps: 18 },
    { name: 'AMD Radeon RX 7800 XT', memoryGiB: 16, int8: 74.6, bf16: 74.6, bandwidth: 624, units: 60, mhz: 2430, bits: 256, gbps: 19.5 },
    { name: 'AMD Radeon RX 7900 GRE', memoryGiB: 16, int8: 92, bf16: 92, bandwidth: 576, units: 80, mhz: 2245, bits: 256, gbps: 18 },
    { name: 'AMD Radeon RX 7900 XT', memoryGiB: 20, int8: 103.2, bf16: 103.2, bandwidth: 800, units: 84, mhz: 2400, bits: 320, gbps: 20 },
    { name: 'AMD Radeon RX 7900 XTX', memoryGiB: 24, int8: 122.9, bf16: 122.9, bandwidth: 960, units: 96, mhz: 2500, bits: 384, gbps: 20, source: 'rx-7900-xtx', bandwidthSource: 'rx-7900-memory' },
    { name: 'AMD Radeon PRO W7800', memoryGiB: 32, int8: 89.6, bf16: 89.6, bandwidth: 576, units: 70, mhz: 2499, bits: 256, gbps: 18 },
    { name: 'AMD Radeon PRO W7900', memoryGiB: 48, int8: 122.6, bf16: 122.6, bandwidth: 864, units: 96, mhz: 2495, bits: 384, gbps: 18 },
  ]),
  ...computedRows(rdna4, [
    { name: 'AMD Radeon RX 9060 XT', memoryGiB: 8, int8: 205.1, bf16: 102.6, bandwidth: 320, units: 32, mhz: 3130, bits: 128, gbps: 20 },
    { name: 'AMD Radeon RX 9060 XT', memoryGiB: 16, int8: 205.1, bf16: 102.6, bandwidth: 320, units: 32, mhz: 3130, bits: 128, gbps: 20 },
    { name: 'AMD Radeon RX 9070', memoryGiB: 16, int8: 289, bf16: 144.5, bandwidth: 640, units: 56, mhz: 2520, bits: 256, gbps: 20 },
    { name: 'AMD Radeon RX 9070 XT', memoryGiB: 16, int8: 389.3, bf16: 194.6, bandwidth: 640, units: 64, mhz: 2970, bits: 256, gbps: 20, source: 'rx-9070-xt', bandwidthSource: 'rx-9070-memory' },
    { name: 'AMD Radeon AI PRO R9700', memoryGiB: 32, int8: 382.7, bf16: 191.4, bandwidth: 640, units: 64, mhz: 2920, bits: 256, gbps: 20 },
  ]),
  ...computedRows(cdna, [
    { name: 'AMD Instinct MI100', memoryGiB: 32, int8: 184.6, bf16: 92.3, bandwidth: 1228.8, units: 120, mhz: 1502, bits: 4096, gbps: 2.4 },
  ]),
  ...computedRows(cdna2, [
    { name: 'AMD Instinct MI210', memoryGiB: 64, int8: 181, bf16: 181, bandwidth: 1638.4, units: 104, mhz: 1700, bits: 4096, gbps: 3.2 },
    { name: 'AMD Instinct MI250', memoryGiB: 64, int8: 181, bf16: 181, bandwidth: 1638.4, units: 104, mhz: 1700, bits: 4096, gbps: 3.2, notes: [ONE_DIE] },
    { name: 'AMD Instinct MI250X', memoryGiB: 64, int8: 191.5, bf16: 191.5, bandwidth: 1638.4, units: 110, mhz: 1700, bits: 4096, gbps: 3.2, notes: [ONE_DIE] },
  ]),
  ...computedRows(cdna3, [
    { name: 'AMD Instinct MI300A', memoryGiB: 128, int8: 1961.2, bf16: 980.6, bandwidth: 5324.8, units: 228, mhz: 2100, bits: 8192, gbps: 5.2 },
    { name: 'AMD Instinct MI300X', memoryGiB: 192, int8: 2614.9, bf16: 1307.4, bandwidth: 5300, units: 304, mhz: 2100, bits: 8192, gbps: 5.2, bandwidthSource: 'mi300x' },
    { name: 'AMD Instinct MI325X', memoryGiB: 256, int8: 2614.9, bf16: 1307.4, bandwidth: 6000, units: 304, mhz: 2100, bits: 8192, gbps: 6 },
  ]),
  ...computedRows(cdna4, [
    { name: 'AMD Instinct MI350X', memoryGiB: 288, int8: 4613.7, bf16: 2306.9, bandwidth: 8000, units: 256, mhz: 2200, bits: 8192, gbps: 8, source: 'mi350-rates', bandwidthSource: 'mi350-memory' },
    { name: 'AMD Instinct MI355X', memoryGiB: 288, int8: 5033.2, bf16: 2516.6, bandwidth: 8000, units: 256, mhz: 2400, bits: 8192, gbps: 8, source: 'mi350-rates', bandwidthSource: 'mi350-memory' },
  ]),
];
