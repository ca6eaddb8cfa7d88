import { computedRows, type Generation } from './computed-rows.ts';
import type { KnownDevice } from './known-device.ts';

const turing: Generation = {
  vendor: 'nvidia',
  architecture: 'Turing',
  int8PerClock: 2048,
  bf16PerClock: 1024,
  source: 'nvidia-turing',
};
const ampere: Generation = { ...turing, architecture: 'Ampere', source: 'nvidia-ga102' };
const ada: Generation = { ...turing, architecture: 'Ada', source: 'nvidia-ada' };
const blackwell: Generation = { ...turing, architecture: 'Blackwell', source: 'nvidia-rtx-blackwell' };

const NO_BFLOAT16 = 'has no bfloat16: the figure is that of binary16';

/** Workstation models: the chips of GeForce, with tensor cores that accumulate in binary32 at their full rate. */
// biome-ignore format: a table reads best as one
export const nvidiaProfessional: readonly KnownDevice[] = [
  ...computedRows(turing, [
    { name: 'NVIDIA TITAN RTX', aliases: ['TITAN RTX'], memoryGiB: 24, int8: 261, bf16: 130.5, bandwidth: 672, units: 72, mhz: 1770, bits: 384, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'Quadro RTX 5000', memoryGiB: 16, int8: 178.4, bf16: 89.2, bandwidth: 448, units: 48, mhz: 1815, bits: 256, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'Quadro RTX 6000', memoryGiB: 24, int8: 261, bf16: 130.5, bandwidth: 672, units: 72, mhz: 1770, bits: 384, gbps: 14, notes: [NO_BFLOAT16] },
    { name: 'Quadro RTX 8000', memoryGiB: 48, int8: 261, bf16: 130.5, bandwidth: 672, units: 72, mhz: 1770, bits: 384, gbps: 14, notes: [NO_BFLOAT16] },
  ]),
  ...computedRows(ampere, [
    { name: 'NVIDIA RTX A4000', memoryGiB: 16, int8: 153.4, bf16: 76.7, bandwidth: 448, units: 48, mhz: 1560, bits: 256, gbps: 14 },
    { name: 'NVIDIA RTX A5000', memoryGiB: 24, int8: 222.2, bf16: 111.1, bandwidth: 768, units: 64, mhz: 1695, bits: 384, gbps: 16 },
    { name: 'NVIDIA RTX A6000', memoryGiB: 48, int8: 309.7, bf16: 154.8, bandwidth: 768, units: 84, mhz: 1800, bits: 384, gbps: 16 },
  ]),
  ...computedRows(ada, [
    { name: 'NVIDIA RTX 4000 Ada Generation', memoryGiB: 20, int8: 213.8, bf16: 106.9, bandwidth: 360, units: 48, mhz: 2175, bits: 160, gbps: 18 },
    { name: 'NVIDIA RTX 4500 Ada Generation', memoryGiB: 24, int8: 317, bf16: 158.5, bandwidth: 432, units: 60, mhz: 2580, bits: 192, gbps: 18 },
    { name: 'NVIDIA RTX 5000 Ada Generation', memoryGiB: 32, int8: 522.2, bf16: 261.1, bandwidth: 576, units: 100, mhz: 2550, bits: 256, gbps: 18 },
    { name: 'NVIDIA RTX 6000 Ada Generation', memoryGiB: 48, int8: 728.5, bf16: 364.2, bandwidth: 960, units: 142, mhz: 2505, bits: 384, gbps: 20 },
  ]),
  ...computedRows(blackwell, [
    { name: 'NVIDIA RTX PRO 4000 Blackwell', memoryGiB: 24, int8: 375.2, bf16: 187.6, bandwidth: 672, units: 70, mhz: 2617, bits: 192, gbps: 28 },
    { name: 'NVIDIA RTX PRO 4500 Blackwell', memoryGiB: 32, int8: 439.5, bf16: 219.7, bandwidth: 896, units: 82, mhz: 2617, bits: 256, gbps: 28 },
    { name: 'NVIDIA RTX PRO 5000 Blackwell', memoryGiB: 48, int8: 589.6, bf16: 294.8, bandwidth: 1344, units: 110, mhz: 2617, bits: 384, gbps: 28 },
    { name: 'NVIDIA RTX PRO 6000 Blackwell Workstation Edition', memoryGiB: 96, int8: 1007.6, bf16: 503.8, bandwidth: 1792, units: 188, mhz: 2617, bits: 512, gbps: 28 },
    { name: 'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition', memoryGiB: 96, int8: 877.8, bf16: 438.9, bandwidth: 1792, units: 188, mhz: 2280, bits: 512, gbps: 28 },
    { name: 'NVIDIA RTX PRO 6000 Blackwell Server Edition', memoryGiB: 96, int8: 1007.6, bf16: 503.8, bandwidth: 1597, units: 188, mhz: 2617, bits: 512, gbps: 25, notes: ['the clock depends on the power limit that the server sets, up to this'] },
  ]),
];
