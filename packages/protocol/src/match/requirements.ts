import { z } from 'zod';
import { addressSchema, uintSchema } from '../ids.ts';
import { deviceKinds, labelSchema, regionSchema } from '../messages/ask.ts';
import { MAX_MEMBERS } from '../messages/order.ts';

/** Most regions that requirements can name. */
export const MAX_REGIONS = 64;

/** What a renter wants: `machines` machines of different agents, each with all of this, and the most they pay. */
export const requirementsSchema = z.object({
  machines: z.int().min(1).max(MAX_MEMBERS),
  /** Further machines to hold in case one of the chosen refuses. */
  spares: z.int().min(0).max(MAX_MEMBERS).default(0),
  kind: z.enum(deviceKinds).default('cpu'),
  /** Part of the device's name, without regard to case; empty for any. */
  model: labelSchema.default(''),
  devicesPerMachine: z.int().min(1).max(1024).default(1),
  minDeviceMemoryMiB: z.int().min(0).max(0xffffffff).default(0),
  minCpuCores: z.int().min(0).max(0xffff).default(0),
  minMemoryMiB: z.int().min(0).max(0xffffffff).default(0),
  /** Empty for any region. */
  regions: z.array(regionSchema).max(MAX_REGIONS).default([]),
  /** Most per device-hour, in base units of the stablecoin. */
  maxPricePerDeviceHour: uintSchema(64),
  /** The lease's length in seconds. */
  seconds: z
    .int()
    .min(1)
    .max(366 * 86_400),
  /** `namespaces` refuses machines that run jobs without isolation. */
  isolation: z.enum(['none', 'namespaces']).default('namespaces'),
  excludeOperators: z.array(addressSchema).max(64).default([]),
});
export type Requirements = z.infer<typeof requirementsSchema>;
export type RequirementsInput = z.input<typeof requirementsSchema>;
