import { amdDevices } from './amd.ts';
import { appleDevices } from './apple.ts';
import { intelDevices } from './intel.ts';
import type { KnownDevice } from './known-device.ts';
import { nvidiaDataCenter } from './nvidia-data-center.ts';
import { nvidiaGeforce } from './nvidia-geforce.ts';
import { nvidiaProfessional } from './nvidia-professional.ts';

/**
 * What vendors say of the devices that are likely to be offered: paper figures, dense, each with its source. It is what a
 * measurement is compared with, and never a replacement for one.
 */
export const knownDevices: readonly KnownDevice[] = [
  ...nvidiaDataCenter,
  ...nvidiaProfessional,
  ...nvidiaGeforce,
  ...amdDevices,
  ...intelDevices,
  ...appleDevices,
];
