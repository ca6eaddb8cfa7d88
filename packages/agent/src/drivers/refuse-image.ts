import { LatentError } from '@latent/protocol';
import type { DriverName, JobSpec } from './driver.ts';

/** For drivers whose jobs run on the machine's own system. @throws LatentError DRIVER_REFUSED if the job names an image */
export function refuseImage(spec: Pick<JobSpec, 'image'>, driver: DriverName): void {
  if (spec.image === undefined) return;
  throw new LatentError('DRIVER_REFUSED', `The driver ${driver} runs no images, and the job wants ${spec.image}.`, {
    details: { image: spec.image },
    hint: 'Rent a machine that runs images, or leave resources.image_id out of the job file.',
  });
}
