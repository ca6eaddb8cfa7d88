import { computedRows, type Generation } from './computed-rows.ts';
import type { KnownDevice } from './known-device.ts';

// On GeForce, tensor cores run at half their rate when they accumulate in binary32, which the proof needs. That is why bf16 is
// a quarter of int8 here and half of it on the professional models of the same chips.

const turing: Generation = {
  vendor: 'nvidia',
  architecture: 'Turing',
  int8PerClock: 2048,
  bf16PerClock: 512,
  source: 'nvidia-turing',
};
const ampere: Generation = { ...turing, architecture: 'Ampere', source: 'nvidia-ga102' };
const ada: Generation = { ...turing, architecture: 'Ada', source: 'nvidia-ada' };
const blackwell: Generation = { ...turing, architecture: 'Blackwell', source: 'nvidia-rtx-blackwell' };

const NO_BFLOAT16 = 'has no bfloat16: the figure is that of binary16';

// biome-ignore format: a table reads best as one
export const nvidiaGeforce: readonly KnownDevice[] = [
  ...computedRows(turing, [
    { name: 'NVIDIA GeForce RTX 2060', memoryGiB: 6, int8: 103.2, bf16: 25.8, bandwidth: 336, units: 30, mhz: 1680, bits: 192, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'NVIDIA GeForce RTX 2060', memoryGiB: 12, int8: 114.9, bf16: 28.7, bandwidth: 336, units: 34, mhz: 1650, bits: 192, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'NVIDIA GeForce RTX 2060 SUPER', memoryGiB: 8, int8: 114.9, bf16: 28.7, bandwidth: 448, units: 34, mhz: 1650, bits: 256, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'NVIDIA GeForce RTX 2070', memoryGiB: 8, int8: 119.4, bf16: 29.9, bandwidth: 448, units: 36, mhz: 1620, bits: 256, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'NVIDIA GeForce RTX 2070 SUPER', memoryGiB: 8, int8: 145, bf16: 36.2, bandwidth: 448, units: 40, mhz: 1770, bits: 256, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'NVIDIA GeForce RTX 2080', memoryGiB: 8, int8: 161.1, bf16: 40.3, bandwidth: 448, units: 46, mhz: 1710, bits: 256, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'NVIDIA GeForce RTX 2080 SUPER', memoryGiB: 8, int8: 178.4, bf16: 44.6, bandwidth: 496, units: 48, mhz: 1815, bits: 256, gbps: 15.5, notes: [NO_BFLOAT16] },
    { name: 'NVIDIA GeForce RTX 2080 Ti', memoryGiB: 11, int8: 215.2, bf16: 53.8, bandwidth: 616, units: 68, mhz: 1545, bits: 352, gbps: 14, notes: [NO_BFLOAT16, "NVIDIA's own edition boosts to 1635 MHz"] },
  ]),
  ...computedRows(ampere, [
    { name: 'NVIDIA GeForce RTX 3050', memoryGiB: 8, int8: 72.8, bf16: 18.2, bandwidth: 224, units: 20, mhz: 1777, bits: 128, gbps: 14 },
    { name: 'NVIDIA GeForce RTX 3060', memoryGiB: 8, int8: 101.9, bf16: 25.5, bandwidth: 240, units: 28, mhz: 1777, bits: 128, gbps: 15 },
    { name: 'NVIDIA GeForce RTX 3060', memoryGiB: 12, int8: 101.9, bf16: 25.5, bandwidth: 360, units: 28, mhz: 1777, bits: 192, gbps: 15 },
    { name: 'NVIDIA GeForce RTX 3060 Ti', memoryGiB: 8, int8: 129.6, bf16: 32.4, bandwidth: 448, bandwidthUpTo: 608, units: 38, mhz: 1665, bits: 256, gbps: 14, notes: ['sold with GDDR6 (448 GB/s) and GDDR6X (608 GB/s) under one name'] },
    { name: 'NVIDIA GeForce RTX 3070', memoryGiB: 8, int8: 162.5, bf16: 40.6, bandwidth: 448, units: 46, mhz: 1725, bits: 256, gbps: 14 },
    { name: 'NVIDIA GeForce RTX 3070 Ti', memoryGiB: 8, int8: 174, bf16: 43.5, bandwidth: 608, units: 48, mhz: 1770, bits: 256, gbps: 19 },
    { name: 'NVIDIA GeForce RTX 3080', memoryGiB: 10, int8: 238.1, bf16: 59.5, bandwidth: 760, units: 68, mhz: 1710, bits: 320, gbps: 19 },
    { name: 'NVIDIA GeForce RTX 3080', memoryGiB: 12, int8: 245.1, bf16: 61.3, bandwidth: 912, units: 70, mhz: 1710, bits: 384, gbps: 19 },
    { name: 'NVIDIA GeForce RTX 3080 Ti', memoryGiB: 12, int8: 272.8, bf16: 68.2, bandwidth: 912, units: 80, mhz: 1665, bits: 384, gbps: 19 },
    { name: 'NVIDIA GeForce RTX 3090', memoryGiB: 24, int8: 284.6, bf16: 71.2, bandwidth: 936, units: 82, mhz: 1695, bits: 384, gbps: 19.5 },
    { name: 'NVIDIA GeForce RTX 3090 Ti', memoryGiB: 24, int8: 320, bf16: 80, bandwidth: 1008, units: 84, mhz: 1860, bits: 384, gbps: 21 },
  ]),
  ...computedRows(ada, [
    { name: 'NVIDIA GeForce RTX 4060', memoryGiB: 8, int8: 120.9, bf16: 30.2, bandwidth: 272, units: 24, mhz: 2460, bits: 128, gbps: 17 },
    { name: 'NVIDIA GeForce RTX 4060 Ti', memoryGiB: 8, int8: 176.5, bf16: 44.1, bandwidth: 288, units: 34, mhz: 2535, bits: 128, gbps: 18 },
    { name: 'NVIDIA GeForce RTX 4060 Ti', memoryGiB: 16, int8: 176.5, bf16: 44.1, bandwidth: 288, units: 34, mhz: 2535, bits: 128, gbps: 18 },
    { name: 'NVIDIA GeForce RTX 4070', memoryGiB: 12, int8: 233.2, bf16: 58.3, bandwidth: 504, units: 46, mhz: 2475, bits: 192, gbps: 21 },
    { name: 'NVIDIA GeForce RTX 4070 SUPER', memoryGiB: 12, int8: 283.9, bf16: 71, bandwidth: 504, units: 56, mhz: 2475, bits: 192, gbps: 21 },
    { name: 'NVIDIA GeForce RTX 4070 Ti', memoryGiB: 12, int8: 320.7, bf16: 80.2, bandwidth: 504, units: 60, mhz: 2610, bits: 192, gbps: 21 },
    { name: 'NVIDIA GeForce RTX 4070 Ti SUPER', memoryGiB: 16, int8: 352.8, bf16: 88.2, bandwidth: 672, units: 66, mhz: 2610, bits: 256, gbps: 21 },
    { name: 'NVIDIA GeForce RTX 4080', memoryGiB: 16, int8: 389.9, bf16: 97.5, bandwidth: 716.8, units: 76, mhz: 2505, bits: 256, gbps: 22.4 },
    { name: 'NVIDIA GeForce RTX 4080 SUPER', memoryGiB: 16, int8: 417.8, bf16: 104.4, bandwidth: 736, units: 80, mhz: 2550, bits: 256, gbps: 23 },
    { name: 'NVIDIA GeForce RTX 4090', memoryGiB: 24, int8: 660.6, bf16: 165.2, bandwidth: 1008, units: 128, mhz: 2520, bits: 384, gbps: 21, source: 'rtx-4090' },
    { name: 'NVIDIA GeForce RTX 4090 D', memoryGiB: 24, int8: 588.3, bf16: 147.1, bandwidth: 1008, units: 114, mhz: 2520, bits: 384, gbps: 21 },
  ]),
  ...computedRows(blackwell, [
    { name: 'NVIDIA GeForce RTX 5050', memoryGiB: 8, int8: 105.3, bf16: 26.3, bandwidth: 320, units: 20, mhz: 2572, bits: 128, gbps: 20 },
    { name: 'NVIDIA GeForce RTX 5060', memoryGiB: 8, int8: 153.4, bf16: 38.4, bandwidth: 448, units: 30, mhz: 2497, bits: 128, gbps: 28 },
    { name: 'NVIDIA GeForce RTX 5060 Ti', memoryGiB: 8, int8: 189.6, bf16: 47.4, bandwidth: 448, units: 36, mhz: 2572, bits: 128, gbps: 28 },
    { name: 'NVIDIA GeForce RTX 5060 Ti', memoryGiB: 16, int8: 189.6, bf16: 47.4, bandwidth: 448, units: 36, mhz: 2572, bits: 128, gbps: 28 },
    { name: 'NVIDIA GeForce RTX 5070', memoryGiB: 12, int8: 246.9, bf16: 61.7, bandwidth: 672, units: 48, mhz: 2512, bits: 192, gbps: 28 },
    { name: 'NVIDIA GeForce RTX 5070 Ti', memoryGiB: 16, int8: 351.5, bf16: 87.9, bandwidth: 896, units: 70, mhz: 2452, bits: 256, gbps: 28 },
    { name: 'NVIDIA GeForce RTX 5080', memoryGiB: 16, int8: 450.2, bf16: 112.6, bandwidth: 960, units: 84, mhz: 2617, bits: 256, gbps: 30 },
    { name: 'NVIDIA GeForce RTX 5090', memoryGiB: 32, int8: 838, bf16: 209.5, bandwidth: 1792, units: 170, mhz: 2407, bits: 512, gbps: 28 },
  ]),
];
