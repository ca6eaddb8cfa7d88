import { systemClock } from '@latent/kit';
import type { Driver } from '../driver.ts';
import { createSandboxDriver } from './sandbox-driver.ts';

/** As on a machine where the agent may make no cgroups. */
export const create = (): Driver =>
  createSandboxDriver({ clock: systemClock, cgroups: async () => ({ usable: false, reason: 'the test says so' }) });
