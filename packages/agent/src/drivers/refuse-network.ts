import { LatentError } from '@latent/protocol';
import type { DriverName, JobSpec } from './driver.ts';

/** For drivers whose jobs are in the machine's own network. @throws LatentError DRIVER_REFUSED if the job is to be in a private one */
export function refuseNetwork(spec: JobSpec, driver: DriverName): void {
  if (spec.network === undefined) return;
  throw new LatentError('DRIVER_REFUSED', `The driver ${driver} puts no job into a private network.`, {
    hint: 'Rent a machine whose jobs can be in one, or say `network: host` under config.latent of the job file.',
  });
}
