import { LatentError, type Requirements, requirementsSchema } from '@latent/protocol';
import type { JobFile } from '../job/job.ts';

/** What the caller decides where the job file does not. */
export interface OrderDefaults {
  /** Base units per device-hour. Goes before the file's price cap. */
  readonly maxPricePerDeviceHour: bigint | undefined;
  /** Length of the lease; goes before the file's. */
  readonly seconds: number | undefined;
  /** `none` to accept machines without isolation; goes before the file's. */
  readonly isolation: 'none' | 'namespaces' | undefined;
}

const DEFAULT_SECONDS = 3_600;
const MIB_PER_GIB = 1_024;

/**
 * The order that a job file stands for.
 * @throws LatentError CONFIG_INVALID if nobody said what may be paid; JOB_FIELD_UNSUPPORTED for several device models
 */
export function orderForJob(job: JobFile, defaults: OrderDefaults): Requirements {
  const { devices, minCpus, minMemoryGib, regions } = job.requirements;
  const price = defaults.maxPricePerDeviceHour ?? job.latent.priceCapMicrodollarsPerDeviceHour;
  if (price === null) {
    throw new LatentError('CONFIG_INVALID', `Neither ${job.fileName} nor the caller says how much may be paid.`, {
      hint: 'Set config.latent.price_cap in the job file, or give --price-cap, in dollars per device-hour.',
    });
  }
  const models = devices.kind === 'gpu' ? devices.models : [];
  if (models.length > 1) {
    throw new LatentError(
      'JOB_FIELD_UNSUPPORTED',
      `${job.fileName}: resources.accelerators: one device model can be asked for at a time; this names ${models.join(', ')}.`,
    );
  }
  return requirementsSchema.parse({
    machines: job.machines,
    spares: job.latent.spares ?? Math.ceil(job.machines / 4),
    kind: devices.kind,
    model: models[0] ?? '',
    devicesPerMachine: devices.count,
    minCpuCores: Math.ceil(minCpus ?? 0),
    minMemoryMiB: Math.ceil((minMemoryGib ?? 0) * MIB_PER_GIB),
    regions: [...regions],
    maxPricePerDeviceHour: price,
    seconds: defaults.seconds ?? job.latent.maxLeaseSeconds ?? DEFAULT_SECONDS,
    // Machines that run jobs without isolation cannot give them a system of their own.
    isolation: job.image === null ? (defaults.isolation ?? job.latent.isolation) : 'namespaces',
    excludeOperators: [...job.latent.excludeOperators],
  });
}
