import { systemClock } from '@latent/kit';
import type { Driver } from '../driver.ts';
import { createProcessDriver } from './process-driver.ts';

/** As on a machine where the agent may make no cgroups. */
export const create = (): Driver =>
  createProcessDriver({ clock: systemClock, cgroups: async () => ({ usable: false, reason: 'the test says so' }) });
