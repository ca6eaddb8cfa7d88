import { z } from 'zod';
import { askIdSchema } from '../ids.ts';
import { shortfalls } from './shortfalls.ts';

/** Why an ask was not taken. Machine-readable first; `text` is the same for people. */
export const refusalReasons = [
  ...shortfalls,
  /** It fits, but cheaper ones were enough. */
  'not-needed',
  /** It fits, but so few others do that nothing was taken. */
  'too-few',
  /** It fits, but a cheaper ask of the same agent does too. */
  'same-machine',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export const refusalSchema = z.object({
  ask: askIdSchema,
  reason: z.enum(refusalReasons),
  /** What was wanted and what the ask has, e.g. `wants ≤ $0.60/h, asks $0.95/h`. */
  text: z.string().max(200),
});
export type Refusal = z.infer<typeof refusalSchema>;

/** One change of the order that would make it match, and what it would then cost. */
export const relaxationSchema = z.object({
  field: z.enum([
    'machines',
    'maxPricePerDeviceHour',
    'minMemoryMiB',
    'minCpuCores',
    'minDeviceMemoryMiB',
    'regions',
    'seconds',
    'isolation',
    'devicesPerMachine',
    'model',
    'kind',
    'excludeOperators',
  ]),
  /** The value to set, as text; amounts in base units, lists separated by commas. */
  value: z.string().max(3_000),
  text: z.string().max(300),
  /** Highest price per device-hour among the machines it would then take, in base units, decimal. */
  pricePerDeviceHour: z.string().max(20),
});
export type Relaxation = z.infer<typeof relaxationSchema>;
